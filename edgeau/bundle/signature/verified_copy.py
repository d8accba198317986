"""A copy of a signed bundle that only this user can write to: what was verified is what is opened."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from edgeau._system.atomic_folder import AtomicFolder
from edgeau._system.cache import cache_directory
from edgeau._system.file_digest import file_digest
from edgeau.bundle.files import SIGNATURE
from edgeau.bundle.signature.statement import SignedFiles
from edgeau.errors import BundleError, OutputError

__all__ = ["verified_copy"]

_KEPT = 4  # copies; a device runs one or two bundles


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
            return place
        copy = copies / file_digest(folder / SIGNATURE)
        if not _holds(copy, signed):
            _make(copy, folder, signed)
            _forget_others(copy)
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"a signed bundle is copied to the cache, where no other user can write, and that failed: {error}; "
            "set XDG_CACHE_HOME to a place that can"
        ) from error
    return copy


def _holds(copy: Path, signed: SignedFiles) -> bool:
    if not copy.is_dir():
        return False
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
    """Keep the newest; one that a process has open lives on until that ends."""
    others = [path for path in copy.parent.iterdir() if path != copy and not path.name.startswith(".")]
    for old in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
        with suppress(OSError):
            shutil.rmtree(old)
