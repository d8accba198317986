"""Folders that appear whole: written beside their place and exchanged with what is there in one step."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from edgeau._system.atomic_file import lock, make_folder, short_name, sync

__all__ = ["AtomicFolder"]

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NOT_THERE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EXDEV)


class AtomicFolder:
    """A folder under a temporary name beside its place; :meth:`commit` puts it there.

    At every instant the place holds the old folder or the new one: Linux exchanges the two names in one call
    (``renameat2``). Where the system or the file system cannot, two renames do it, and a kill between them leaves the old
    folder under ``.NAME.RANDOM.old``; the next :class:`AtomicFolder` for that place puts it back first. What killed
    processes left is removed then too.

    Args:
        place: where the folder shall stand; the folders above are made.

    Attributes:
        path: where to write.

    Raises:
        OSError: the folder above cannot be made or written to.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        make_folder(place.parent)
        self._clean_up()
        self.path, self._lock = self._created()

    def _created(self) -> tuple[Path, int]:
        while True:
            path = self._place.with_name(f"{self._prefix()}{secrets.token_hex(6)}.partial")
            path.mkdir()  # fails where the name is taken, which chance excludes
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                lock(descriptor)
                if path.exists():
                    return path, descriptor
                os.close(descriptor)
            # Somebody who cleaned up the place between our calls took it for a killed process's.

    def commit(self) -> None:
        """Sync everything in it and put it into its place; what was there is deleted.

        Raises:
            OSError: the system refuses; the place holds what it held.
        """
        for folder, _, names in os.walk(self.path):
            for name in names:
                sync(Path(folder, name))
            sync(Path(folder))
        if not self._moved() and not _exchanged(self.path, self._place):
            self._rename_twice()
        sync(self._place.parent)

    def close(self) -> None:
        """Delete what lies under the temporary name: the folder, or after :meth:`commit` the old one."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _moved(self) -> bool:
        """Tell whether it stands in its place, which was free; another process may have taken that just now."""
        if self._place.exists():
            return False
        try:
            self.path.rename(self._place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        return True

    def _rename_twice(self) -> None:
        old = self.path.with_suffix(".old")
        try:
            self._place.rename(old)
            self.path.rename(self._place)
        except BaseException:
            if old.exists() and not self._place.exists():
                old.rename(self._place)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def _prefix(self) -> str:
        return f".{short_name(self._place.name)}."

    def _clean_up(self) -> None:
        left = re.compile(rf"{re.escape(self._prefix())}[0-9a-f]{{12}}\.(partial|old)")
        for path in list(self._place.parent.iterdir()):
            if not left.fullmatch(path.name) or not path.is_dir():
                continue
            if path.suffix == ".old" and not self._place.exists():
                path.rename(self._place)
                continue
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    if lock(descriptor, wait=False):
                        shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where that does not exist."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # another system, or a C library without it
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_THERE:
        return False
    raise OSError(number, os.strerror(number), str(other))
