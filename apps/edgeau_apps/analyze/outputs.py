"""The files of one input, which appear together when they are whole, or not at all."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import TextIO

from edgeau._system.atomic_file import AtomicFile
from edgeau.errors import OutputError

__all__ = ["Outputs"]


class Outputs:
    """Files under hidden temporary names beside their places; :meth:`commit` puts them there.

    Left without a commit (an error, Ctrl-C), they are removed, and so are folders that were made for them: what was
    there before stays untouched. A folder that cannot be written to is an :class:`~edgeau.errors.OutputError`.

    Args:
        folder: where the files go; made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: list[Path] = []
        self._files: list[AtomicFile] = []
        self._streams: list[TextIO] = []

    def __enter__(self) -> Outputs:  # noqa: PYI034 - Self is in typing from Python 3.11 on
        self._made = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        try:
            with refusing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
        except BaseException:
            self._remove_folders()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with uninterrupted():
            for stream in self._streams:
                with contextlib.suppress(
                    OSError
                ):  # a full disk: what cannot be flushed is thrown away anyway
                    stream.close()
            for file in self._files:
                file.discard()
            self._remove_folders()

    def place(self, name: str) -> Path:
        """The temporary path of a file; its suffix is that of the name."""
        self._files.append(AtomicFile(self.folder / name))
        return self._files[-1].temporary

    def open_text(self, name: str) -> TextIO:
        """A text file that is written through line by line."""
        temporary = self.place(name)
        with refusing(temporary.parent):
            stream = temporary.open("w", encoding="utf-8", newline="", buffering=1)
        self._streams.append(stream)
        return stream

    def check(self) -> None:
        """Notice that somebody removed a file that is being written.

        Raises:
            OutputError: one is gone.
        """
        for file in self._files:
            file.check()

    def commit(self) -> None:
        """Close the files and put all of them in their places; Ctrl-C and SIGTERM wait until the last one is there."""
        with uninterrupted(), refusing(self.folder):
            for stream in self._streams:
                stream.close()
            for file in self._files:
                file.commit()
            self._files.clear()
            self._made.clear()

    def _remove_folders(self) -> None:
        """Folders that were made for these files, unless something else is in them by now."""
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def refusing(place: Path) -> Iterator[None]:
    """Turn the system's errors on writing into ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to {str(place)!r}: {error.strerror or error}") from error


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM inside the block take effect at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for missed in came:
            signal.raise_signal(missed)
