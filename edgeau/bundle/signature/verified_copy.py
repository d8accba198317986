"""A copy of a signed bundle that only this user can write to: what was verified is what is opened.

Files of it are opened as they are needed, by a web server for as long as it runs. A process therefore holds a lock (flock) on each
copy that it was given until it ends, and no process removes a copy that another one holds.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from edgeau._system.atomic_file import lock
from edgeau._system.atomic_folder import AtomicFolder
from edgeau._system.cache import cache_directory
from edgeau._system.file_digest import file_digest
from edgeau.bundle.files import SIGNATURE
from edgeau.bundle.signature.statement import SignedFiles
from edgeau.errors import BundleError, OutputError

__all__ = ["verified_copy"]

_KEPT = 4  # copies, beside those that are in use; a device runs one or two bundles
_held: dict[Path, int] = {}  # descriptors of the copies that this process uses


def verified_copy(folder: Path, signed: SignedFiles) -> Path:
    """The signed files of a bundle in the user's cache directory, verified there.

    Args:
        folder: verified.
        signed: its files.

    Raises:
        BundleError: a file was exchanged while it was copied.
        OutputError: there is no room for the copy, or no place.
    """
    try:
        copies = (cache_directory() / "verified").resolve()
        place = folder.resolve()
        if place.parent == copies:
            _hold(place)
            return place
        copy = copies / file_digest(folder / SIGNATURE)
        while not (_hold(copy) and _is_whole(copy, signed)):
            _make(copy, folder, signed)
            _forget_others(copy)
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"a signed bundle is copied to the cache, where no other user can write, and that failed: {error}; "
            "set XDG_CACHE_HOME to a place that can"
        ) from error
    return copy


def _hold(copy: Path) -> bool:
    """Keep others from removing a copy until this process ends; False where there is none."""
    try:
        descriptor = os.open(copy, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    lock(descriptor, shared=True)  # waits for a process that is removing it
    before = _held.pop(copy, None)
    if before is not None:
        os.close(before)
    _held[copy] = descriptor
    try:
        return os.path.samestat(os.fstat(descriptor), copy.stat())
    except FileNotFoundError:  # it was removed
        return False


def _is_whole(copy: Path, signed: SignedFiles) -> bool:
    try:
        signed.check(copy)
    except BundleError:
        return False
    return True


def _make(copy: Path, folder: Path, signed: SignedFiles) -> None:
    made = AtomicFolder(copy)
    try:
        made.path.chmod(0o700)
        for name in (*signed.digests, SIGNATURE):
            place = made.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, place, follow_symlinks=False)
        signed.check(made.path)
        made.commit()
    finally:
        made.close()


def _forget_others(copy: Path) -> None:
    """Keep the newest, and those that a process holds."""
    others = [path for path in copy.parent.iterdir() if path != copy and not path.name.startswith(".")]
    for old in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
        with suppress(OSError):  # another process may do the same just now
            descriptor = os.open(old, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if lock(descriptor, wait=False):
                    shutil.rmtree(old)
            finally:
                os.close(descriptor)
