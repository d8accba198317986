"""Messages that wait on the disk, in order, within a bound.

They lie in numbered files of one message a line, in a folder that one process at a time uses. A process that starts
again finds what an earlier one left. After a crash the messages of one file may be given out twice; none is lost.
"""

from __future__ import annotations

from collections import deque
from typing import IO, TYPE_CHECKING

from edgeau.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["OfflineStore"]

_SUFFIX = ".jsonl"
# The oldest file is given up as a whole: a sixteenth of what there is room for.
_FILES = 16


class OfflineStore:
    """A bounded queue of lines on the disk.

    Args:
        folder: made when it is missing, readable by its owner alone.
        most_bytes: of all files together; the oldest messages are given up for the newest.

    Raises:
        OutputError: the folder cannot be made or read, or another process uses it.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._file_bytes = max(most_bytes // _FILES, 1)
        self.lost = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(folder)
            found = sorted(int(path.stem) for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal())
            self._files = deque((number, *_measure(self._path(number))) for number in found)
        except OSError as error:
            raise self._refusal(error) from error
        self._head: deque[str] | None = None  # lines of the oldest file, once it is being given out
        self._sealed = (
            True  # the newest file is of an earlier process, or is being given out: a new one is begun
        )

    def __len__(self) -> int:
        return sum(lines for _, lines, _ in self._files)

    @property
    def bytes(self) -> int:
        """On the disk."""
        return sum(size for _, _, size in self._files)

    def append(self, line: str) -> None:
        """Add the newest message, giving up the oldest ones for it if need be.

        Raises:
            OutputError: the disk is full, or gone.
        """
        content = line.encode() + b"\n"
        if self._sealed or not self._files or self._files[-1][2] + len(content) > self._file_bytes:
            self._begin()
        number, lines, size = self._files[-1]
        try:
            with self._path(number).open("ab") as file:
                file.write(content)
        except OSError as error:
            raise self._refusal(error) from error
        self._files[-1] = (number, lines + 1, size + len(content))

    def peek(self) -> str | None:
        """The oldest message, or None when there is none.

        Raises:
            OutputError: the disk cannot be read.
        """
        while self._files and not self._head:
            if self._head is not None:  # given out to the last line
                self._remove_oldest()
                continue
            self._read_oldest()
        return self._head[0] if self._head else None

    def pop(self) -> None:
        """Forget the oldest message, which :meth:`peek` gave."""
        assert self._head
        self._head.popleft()
        number, lines, size = self._files[0]
        self._files[0] = (number, lines - 1, size)
        if not self._head:
            self._remove_oldest()

    def put_back(self, lines: Sequence[str]) -> None:
        """Make messages that were popped the oldest ones again; the next call is :meth:`close`.

        Raises:
            OutputError: the disk is full, or gone.
        """
        if self.peek() is None:
            for line in lines:
                self.append(line)
            return
        assert self._head is not None
        self._head.extendleft(reversed(lines))

    def close(self) -> None:
        """Write down how far the oldest file was given out, and let another process use the folder.

        Raises:
            OutputError: the disk is full, or gone.
        """
        try:
            if self._head:
                self._write_oldest()
        finally:
            self._lock.close()

    def _write_oldest(self) -> None:
        assert self._head
        path = self._path(self._files[0][0])
        try:
            temporary = path.with_suffix(".part")
            temporary.write_text("".join(f"{line}\n" for line in self._head), encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            raise self._refusal(error) from error
        self._head = None

    def _begin(self) -> None:
        while len(self._files) >= _FILES:
            self.lost += self._files[0][1]
            self._remove_oldest()
        number = self._files[-1][0] + 1 if self._files else 0
        self._files.append((number, 0, 0))
        self._sealed = False

    def _read_oldest(self) -> None:
        try:
            content = self._path(self._files[0][0]).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise self._refusal(error) from error
        self._head = deque(content.split("\n")[:-1])  # without a line that a crash cut short
        self._sealed = self._sealed or len(self._files) == 1

    def _remove_oldest(self) -> None:
        number, *_ = self._files.popleft()
        self._head = None
        try:
            self._path(number).unlink(missing_ok=True)
        except OSError as error:
            raise self._refusal(error) from error

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:09d}{_SUFFIX}"

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(f"cannot keep messages in {self._folder}: {error.strerror or error}")


def _locked(folder: Path) -> IO[bytes]:
    """A file that stays locked for as long as it is open."""
    import fcntl  # not on every system

    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise OutputError(f"{folder} is used by another process; give a store of its own") from error
    return lock


def _measure(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    return content.count(b"\n"), len(content)
