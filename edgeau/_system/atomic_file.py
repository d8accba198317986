"""Files that appear whole or not at all, after a kill, a full disk or a power cut too.

A file is written under a temporary name beside its place, synced, renamed to its place, and the folder is synced. Temporary
names look like ``.results.3f9c0a51be77.part.csv``: the random part and exclusive creation keep processes apart, also those
of two containers with one process id on one volume. A writer holds a lock (flock) on its temporary file, so that what a
killed process left can be told from what another one is writing: the first write of a process into a folder removes the
former. Where the system has no flock nothing is removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from edgeau.errors import OutputError

__all__ = [
    "AtomicFile",
    "atomic_path",
    "lock",
    "make_folder",
    "short_name",
    "sync",
    "temporary_name",
    "write_whole",
]

_LEFT = re.compile(r"\..*\.[0-9a-f]{12}\.part(\.[^.]*)?")
_LONGEST = 40  # characters of the stem in a temporary name: with four bytes each they fit into 255
_swept: set[tuple[int, int]] = set()  # folders (device, inode) that this process has looked through


class AtomicFile:
    """A file that is written under :attr:`temporary` and takes its place with :meth:`commit`.

    In ``with`` it is committed at the end of the block, or removed where the block raises.

    Args:
        path: its place; folders on the way are made. What is there stays until the commit, and its permission bits are
            kept. A symbolic link is followed.
        growing: it fills for a long time, and its content is worth keeping should the process be killed: the next one for
            the same place then keeps it beside the place, as ``results.interrupted.csv``.

    Attributes:
        path: its place.
        temporary: where to write; an empty file until then. It has the suffix of ``path``.

    Raises:
        OutputError: the folder cannot be made or written to, or the place is taken by something that is not a file.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        self.path = path
        try:
            # Not Path.resolve: before Python 3.13 it raises RuntimeError on a circular link.
            self._place = Path(os.path.realpath(path)) if path.is_symlink() else path
            self._mode = _mode_of(self._place)
            make_folder(self._place.parent)
            if growing:
                _keep_interrupted(self._place)
            _sweep(self._place.parent)
            self.temporary, self._lock = self._created("growing" if growing else "part")
        except OSError as error:
            raise _refusal(path, error) from error

    def _created(self, marker: str) -> tuple[Path, int]:
        while True:
            temporary = self._place.with_name(temporary_name(self._place, marker))
            try:
                descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                continue
            lock(descriptor)
            if os.fstat(descriptor).st_nlink:
                return temporary, descriptor
            os.close(descriptor)  # somebody looked through the folder between our two calls, and removed it

    def check(self) -> None:
        """Notice that somebody removed it: what is written from then on is lost.

        Raises:
            OutputError: it is gone.
        """
        if self._lock >= 0 and os.fstat(self._lock).st_nlink == 0:
            raise OutputError(f"{self.path} was removed while it was written: {self.temporary} is gone")

    def commit(self) -> None:
        """Put it into its place, synced; it must be closed by then. A second call does nothing.

        Raises:
            OutputError: the system does not let it; the temporary file is still there.
        """
        if self._lock < 0:
            return
        try:
            if self._mode is not None:
                self.temporary.chmod(self._mode)
            sync(self.temporary)
            self.temporary.replace(self._place)
            sync(self._place.parent)
        except OSError as error:
            raise _refusal(self.path, error) from error
        self._release()

    def discard(self) -> None:
        """Remove it, unless it was committed."""
        if self._lock >= 0:
            with suppress(OSError):  # its folder may be gone
                self.temporary.unlink(missing_ok=True)
            self._release()

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> AtomicFile:  # noqa: PYI034 - Self is in typing from Python 3.11 on
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()

    def __del__(self) -> None:
        self._lock = getattr(self, "_lock", -1)
        self._release()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """The path to write a file to, in the block and by any means; at its end the file is put into its place.

    Raises:
        OutputError: the system refused, inside the block too; the place is as it was.
    """
    with AtomicFile(path) as file:
        try:
            yield file.temporary
        except OSError as error:
            raise _refusal(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        OutputError: the folder cannot be made or written to, or the disk is full.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def temporary_name(path: Path, marker: str) -> str:
    """A hidden name beside a place, not to be met a second time."""
    return f".{short_name(path.stem)}.{secrets.token_hex(6)}.{marker}{path.suffix}"


def short_name(name: str) -> str:
    """A name that leaves room for what is put around it; of two long ones that differ, these differ too."""
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    return f"{name[: _LONGEST - 13]}-{digest}"


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, with these permission bits, and those above it, and sync what they were made in.

    Raises:
        OSError: the system refuses.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    for made in missing:
        sync(made.parent)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk before this returns.

    Raises:
        OSError: the disk is full, or broken.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        if path.is_dir():
            return  # a folder that may be written to and not listed
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems sync no folder
            raise
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, wait: bool = True, shared: bool = False) -> bool:
    """Hold the lock of an open file or folder until it is closed; False where another process has it, or none exists.

    Args:
        descriptor: of the file or folder.
        wait: for others to close theirs.
        shared: with others who share it.
    """
    try:
        import fcntl  # not on every system
    except ImportError:
        return False
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _sweep(folder: Path) -> None:
    """Remove temporary files of processes that were killed; once a process and folder, as folders may be large."""
    about = folder.stat()
    if (about.st_dev, about.st_ino) in _swept:
        return
    _swept.add((about.st_dev, about.st_ino))
    with suppress(PermissionError):
        for path in folder.iterdir():
            if _LEFT.fullmatch(path.name):
                _if_abandoned(path, Path.unlink)


def _keep_interrupted(place: Path) -> None:
    """The newest growing file of a killed process becomes visible; older and empty ones go."""
    name = f".{short_name(place.stem)}."
    pattern = re.compile(rf"{re.escape(name)}[0-9a-f]{{12}}\.growing{re.escape(place.suffix)}")
    kept = place.with_name(f"{place.stem}.interrupted{place.suffix}")

    def keep(path: Path) -> None:
        if path.stat().st_size:
            path.replace(kept)
        else:
            path.unlink()

    found = [path for path in place.parent.iterdir() if pattern.fullmatch(path.name)]
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns):
        _if_abandoned(path, keep)


def _if_abandoned(path: Path, act: Any) -> None:
    with suppress(OSError):  # another process may do the same just now
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if lock(descriptor, wait=False):
                act(path)
        finally:
            os.close(descriptor)


def _mode_of(place: Path) -> int | None:
    """Permission bits of what is there; None where nothing is."""
    try:
        about = place.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(about.st_mode):
        kind = "a folder" if stat.S_ISDIR(about.st_mode) else "not a regular file"
        raise OSError(errno.EINVAL, f"it is {kind}")
    return stat.S_IMODE(about.st_mode)


def _refusal(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {error.strerror or error}")
