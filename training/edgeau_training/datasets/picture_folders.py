"""Pictures of a folder, found by frame number or by name and never by position."""

from __future__ import annotations

import os
from pathlib import Path

from edgeau.errors import InputError

__all__ = ["numbered_pictures", "pictures_by_name"]

_SUFFIXES = {"jpg", "jpeg", "png", "bmp"}


def numbered_pictures(folder: Path) -> dict[int, str]:
    """Frame number to file name of the pictures whose name is a number, whatever width it is padded to.

    Raises:
        InputError: the folder is missing, or two names are the same number.
    """
    if not folder.is_dir():
        raise InputError(f"the picture folder {folder} does not exist")
    found: dict[int, str] = {}
    for name in sorted(entry.name for entry in os.scandir(folder)):
        stem, _, suffix = name.rpartition(".")
        if suffix.lower() not in _SUFFIXES or not stem.isdecimal():
            continue
        if int(stem) in found:
            raise InputError(
                f"{folder} holds {found[int(stem)]} and {name}, which are the same frame; remove one"
            )
        found[int(stem)] = name
    return found


def pictures_by_name(folder: Path) -> dict[str, str]:
    """File name to path relative to ``folder`` (with ``/``) of all pictures under it, however deep.

    Raises:
        InputError: the folder is missing, or two pictures have the same name.
    """
    if not folder.is_dir():
        raise InputError(f"the picture folder {folder} does not exist")
    found: dict[str, str] = {}
    for place, folders, names in os.walk(folder):
        folders.sort()
        inside = Path(place).relative_to(folder)
        for name in names:
            if name.rpartition(".")[2].lower() not in _SUFFIXES:
                continue
            path = (inside / name).as_posix()
            if name in found:
                raise InputError(
                    f"{folder} holds {found[name]} and {path}: two pictures of one name; remove one"
                )
            found[name] = path
    return found
