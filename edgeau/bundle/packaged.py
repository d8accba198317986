"""The bundles that the package carries, by name: ``default``, and ``light`` for small computers."""

from __future__ import annotations

from pathlib import Path

from edgeau.bundle.files import MANIFEST
from edgeau.errors import BundleError

__all__ = ["DEFAULT", "PACKAGED", "bundle_folder", "is_packaged", "packaged_bundle_path"]

DEFAULT = "default"
# What each is, for people.
PACKAGED = {
    DEFAULT: "the most accurate of the packaged networks",
    "light": "a third of default's work, for small computers",
}


def packaged_bundle_path(name: str = DEFAULT) -> Path:
    """The folder of a bundle that the package carries.

    Args:
        name: one of :data:`PACKAGED`.

    Raises:
        BundleError: this copy of the package carries none of this name.
    """
    path = Path(__file__).resolve().parent.parent / name
    if name not in PACKAGED or not (path / MANIFEST).is_file():
        raise BundleError(
            f"this copy of edgeau carries no bundle named {name} ({path} has no {MANIFEST}); "
            "install edgeau from its wheel, or give the path of a bundle that edgeau-export made"
        )
    return path


def bundle_folder(bundle: Path | str | None) -> Path:
    """The folder of the bundle that a user named; whether a bundle is in it is not looked at.

    Args:
        bundle: text that is a name of :data:`PACKAGED` means the packaged one (``./light`` is a folder beside you); other text
            and every ``Path`` is a folder; None is the packaged default.

    Raises:
        BundleError: this copy of the package carries none of this name.
    """
    if bundle is None:
        return packaged_bundle_path()
    if isinstance(bundle, str) and bundle in PACKAGED:
        return packaged_bundle_path(bundle)
    return Path(bundle)


def is_packaged(folder: Path) -> bool:
    """Tell whether a folder is one of those that the package carries."""
    room = Path(__file__).resolve().parent.parent
    return folder.resolve() in {room / name for name in PACKAGED}
