"""Which files are pictures and which are videos, and in which order they come."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Literal

import cv2

from edgeau.errors import InputError

__all__ = ["PICTURES", "VIDEOS", "files_of_folder", "files_of_glob", "is_glob", "kind_of"]

PICTURES = frozenset(
    (
        ".avif",
        ".bmp",
        ".dib",
        ".heic",
        ".heif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    )
)
VIDEOS = frozenset(
    (".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg")
) | frozenset((".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"))


def kind_of(path: Path) -> Literal["picture", "video"]:
    """What a file is: by its suffix, and where that says nothing by its first bytes.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(
            f"{str(path)!r} does not exist" if not path.exists() else f"{str(path)!r} is not a file"
        )
    suffix = path.suffix.lower()
    if suffix in PICTURES or (suffix not in VIDEOS and cv2.haveImageReader(str(path))):
        return "picture"
    return "video"


def files_of_folder(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files directly in a folder with one of the suffixes, in natural order; hidden ones and sub-folders are left out."""
    found = (
        path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
    return sorted((path for path in found if path.is_file()), key=_natural)


def is_glob(text: str) -> bool:
    """Whether a text is a pattern and not the name of something that exists."""
    return glob.has_magic(text) and not Path(text).exists()


def files_of_glob(pattern: str, suffixes: frozenset[str]) -> list[Path]:
    """Files that a pattern names (``**`` goes through sub-folders) with one of the suffixes, in natural order."""
    found = (Path(path) for path in glob.iglob(pattern, recursive=True))  # noqa: PTH207 - Path.glob refuses absolute patterns
    return sorted(
        (path for path in found if path.suffix.lower() in suffixes and path.is_file()), key=_natural
    )


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Order in which frame2 comes before frame10."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdigit() else (1, 0, part.casefold()) for part in parts]
