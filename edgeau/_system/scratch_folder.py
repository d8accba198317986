"""Temporary folders for work in between; those of killed processes are removed by the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeau._system.atomic_file import lock

__all__ = ["scratch_folder"]

_SUFFIX = ".scratch"
_SETTLED_S = 60.0  # younger ones may belong to a process that has not locked its own yet


@contextmanager
def scratch_folder(name: str) -> Iterator[str]:
    """A folder in the system's place for temporary files, removed at the end of the block.

    Args:
        name: what it is for; it is called ``edgeau-NAME-RANDOM.scratch``.
    """
    _remove_abandoned()
    folder = tempfile.mkdtemp(prefix=f"edgeau-{name}-", suffix=_SUFFIX)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        lock(descriptor)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned() -> None:
    """Those of this user that nobody holds."""
    before = time.time() - _SETTLED_S
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"edgeau-*{_SUFFIX}"):
            with suppress(OSError):  # another process may do the same just now
                about = path.lstat()
                if path.is_symlink() or about.st_uid != os.getuid() or about.st_ctime > before:
                    continue
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    if lock(descriptor, wait=False):
                        shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)
