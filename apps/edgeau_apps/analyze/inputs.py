"""What the user named, as a list of files with the names of their tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edgeau.errors import InputError
from edgeau.sources.clip import clip_path
from edgeau.sources.kinds import PICTURES, VIDEOS, files_of_folder, files_of_glob, is_glob, kind_of

__all__ = ["Input", "Refused", "find_inputs"]

_MEDIA = PICTURES | VIDEOS
Kind: TypeAlias = Literal["picture", "video"]
# Our own annotated pictures and videos are results: analyzing a folder twice must not analyze them too.
_OURS = ".annotated"


@dataclass(frozen=True)
class Input:
    """One file to analyze.

    Attributes:
        name: for people: as it was given, or the path in what was given.
        path: the file.
        kind: what it is.
        stem: its tables are ``<stem>.csv`` and ``<stem>.jsonl``.
    """

    name: str
    path: Path
    kind: Kind
    stem: str


@dataclass(frozen=True)
class Refused:
    """An argument that names nothing to analyze, and why."""

    name: str
    why: str


def find_inputs(names: list[str]) -> tuple[list[Input], list[Refused]]:
    """The files that arguments name, each once, in the order given, and the arguments that name none.

    A folder stands for the pictures and videos directly in it; a pattern may go deeper with ``**``; ``clip`` is the
    packaged clip. When files share a stem, the first keeps it and the next ones get ``-2``, ``-3``, ... in that order.
    """
    found: dict[Path, tuple[str, Path, str]] = {}
    refused = []
    for name in names:
        files, why = _files_or_why(name)
        if why is not None:
            refused.append(Refused(name, why))
        for path in files:
            clip = name == "clip"
            found.setdefault(path.resolve(), (name if clip else str(path), path, name if clip else path.stem))
    stems = _distinct([stem for _, _, stem in found.values()])
    files_found = ((name, path) for name, path, _ in found.values())
    inputs = [Input(*file, kind_of(file[1]), stem) for file, stem in zip(files_found, stems, strict=True)]
    return inputs, refused


def _files_or_why(name: str) -> tuple[list[Path], str | None]:
    try:
        return _files(name), None
    except (InputError, OSError) as error:
        return [], str(error)


def _files(name: str) -> list[Path]:
    path = Path(name)
    if name == "clip":
        return [clip_path()]
    if not name or not (path.exists() or is_glob(name)):
        raise InputError(
            f"{name!r} does not exist; give pictures, videos, folders or patterns of them, or clip"
        )
    if not path.is_dir() and not is_glob(name):
        return [path]
    every = files_of_folder(path, _MEDIA) if path.is_dir() else files_of_glob(name, _MEDIA)
    files = [file for file in every if not file.stem.endswith(_OURS)]
    if not files:
        raise InputError(f"{name!r} holds no pictures or videos; known are {', '.join(sorted(_MEDIA))}")
    return files


def _distinct(stems: list[str]) -> list[str]:
    """Each stem made unique by a number behind it, also on file systems that take A for a."""
    taken = {stem.casefold() for stem in stems}
    seen: set[str] = set()
    return [_free(stem, taken, seen) for stem in stems]


def _free(stem: str, taken: set[str], seen: set[str]) -> str:
    name, number = stem, 1
    while name.casefold() in seen or (number > 1 and name.casefold() in taken):
        number += 1
        name = f"{stem}-{number}"
    seen.add(name.casefold())
    return name
