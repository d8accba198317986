"""Kinds of files, pictures or videos, and the order in which they come."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from edgeau._system.address_text import without_secrets
from edgeau.errors import InputError
from edgeau.sources.picture_header import PICTURE_KINDS, content_kind

__all__ = [
    "PICTURES",
    "VIDEOS",
    "PictureSeries",
    "files_of_folder",
    "files_of_glob",
    "is_glob",
    "kind_of",
    "kind_of_content",
    "picture_series",
]

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
        ".mpo",
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


_HEAD = 64  # bytes that tell what a file holds


def kind_of(path: Path) -> Literal["picture", "video"]:
    """Tell what a file is: by its suffix, and where that says nothing by its first bytes.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(
            f"{str(path)!r} does not exist" if not path.exists() else f"{str(path)!r} is not a file"
        )
    suffix = path.suffix.lower()
    if suffix in PICTURES or (suffix not in VIDEOS and kind_of_content(path) in PICTURE_KINDS):
        return "picture"
    return "video"


def kind_of_content(path: Path) -> str:
    """Tell what a file holds by its first bytes, see :func:`edgeau.sources.picture_header.content_kind`; empty when unreadable."""
    try:
        with path.open("rb") as file:
            return content_kind(file.read(_HEAD))
    except OSError:  # said when it is opened
        return ""


def files_of_folder(folder: Path, suffixes: frozenset[str] | None) -> list[Path]:
    """Files directly in a folder with one of the suffixes, in natural order; hidden ones and sub-folders are left out.

    Links that lead nowhere are among them: opening one says so.

    Args:
        folder: where they are.
        suffixes: in small letters, with the dot; None takes all files.

    Raises:
        InputError: the folder is closed to this user, or its disk fails.
    """
    try:
        with os.scandir(folder) as entries:  # which knows most files from folders without asking for each
            files = [
                folder / entry.name
                for entry in entries
                if _is_wanted(entry.name, suffixes) and _is_file(entry)
            ]
    except OSError as error:
        raise InputError(f"{str(folder)!r} cannot be read: {error.strerror or error}") from error
    return sorted(files, key=_natural)


def is_glob(text: str) -> bool:
    """Tell whether a text is a pattern and not the name of something that exists."""
    return glob.has_magic(text) and not Path(text).exists()


def files_of_glob(pattern: str, suffixes: frozenset[str] | None) -> list[Path]:
    """Files that a pattern names (``**`` goes through sub-folders, but not through hidden ones and links to folders), in natural order.

    Args:
        pattern: as of a shell.
        suffixes: as for :func:`files_of_folder`.
    """
    before, stars, behind = pattern.partition("**")
    if not stars or not behind.startswith("/") or glob.has_magic(before):
        return _chosen((Path(path) for path in glob.iglob(pattern, recursive=True)), suffixes)  # noqa: PTH207 - Path.glob refuses absolute patterns
    # Walked by hand: glob follows links, and one that leads back up has no end.
    found = (
        Path(path)
        for folder in _open_folders(before or ".")
        for path in glob.iglob(str(Path(glob.escape(folder)) / behind[1:]), recursive=True)  # noqa: PTH207
    )
    return _chosen(dict.fromkeys(found), suffixes)


class PictureSeries(NamedTuple):
    """Pictures that are the frames of a film.

    Attributes:
        files: in natural order.
        places: places of each on the film's clock, in frames from 0. Numbers that are missing in ``frame%04d.png`` leave gaps.
        left_out: files of the folder or pattern whose suffixes are not those of pictures.
    """

    files: list[Path]
    places: list[int]
    left_out: list[Path]


def picture_series(what: str) -> PictureSeries:
    """The pictures that are the frames of a film.

    Args:
        what: a folder, a pattern of a shell, or one of printf such as ``frame%04d.png``.

    Raises:
        InputError: there are none.
    """
    path = Path(what)
    numbers: list[int] = []
    every: list[Path] = []
    if path.is_dir():
        every = files_of_folder(path, None)
    elif number := re.search(r"%(0?\d*)d", path.name):
        digits = re.compile(
            re.escape(path.name[: number.start()]) + r"(\d+)" + re.escape(path.name[number.end() :])
        )
        files = files_of_folder(path.parent, PICTURES) if path.parent.is_dir() else []
        matches = ((file, digits.fullmatch(file.name)) for file in files)
        found = sorted((int(match[1]), file) for file, match in matches if match)
        numbers, every = [place - found[0][0] for place, _ in found], [file for _, file in found]
    elif is_glob(what):
        every = files_of_glob(what, None)
    pictures = [file for file in every if file.suffix.lower() in PICTURES]
    if not pictures:
        raise InputError(
            f"{without_secrets(what)!r} does not match any pictures; a film of pictures is a folder, a pattern such as 'frames/*.png', or "
            "'frames/%04d.png'"
        )
    left_out = [file for file in every if file.suffix.lower() not in PICTURES]
    return PictureSeries(pictures, numbers or list(range(len(pictures))), left_out)


def _chosen(paths: Iterable[Path], suffixes: frozenset[str] | None) -> list[Path]:
    files = (path for path in paths if _is_wanted(path.name, suffixes) and _is_file(path))
    return sorted(files, key=_natural)


def _open_folders(root: str) -> Iterator[str]:
    """A folder and those in it, as ``**`` goes through them: not through hidden ones, such as those of thumbnails and wastebaskets."""
    for folder, inside, _ in os.walk(root):
        inside[:] = [name for name in inside if not name.startswith(".")]
        yield folder


def _is_file(entry: os.DirEntry[str] | Path) -> bool:
    """Tell a file, or a link that leads nowhere: it was meant as one, and whoever opens it says what is wrong."""
    try:
        return entry.is_file() or (entry.is_symlink() and not Path(entry).exists())
    except OSError:  # a circle of links, or one into a folder that is closed to this user
        return True


def _is_wanted(name: str, suffixes: frozenset[str] | None) -> bool:
    return not name.startswith(".") and (suffixes is None or Path(name).suffix.lower() in suffixes)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Order in which frame2 comes before frame10."""
    parts = re.split(r"(\d+)", str(path))
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in parts]
