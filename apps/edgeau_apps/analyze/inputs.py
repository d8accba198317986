"""Inputs that the user named, as a list of files with the names of their tables."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from edgeau._system.address_text import without_secrets
from edgeau._system.did_you_mean import did_you_mean
from edgeau.errors import InputError, UserError
from edgeau.sources import open_source
from edgeau.sources.clip import clip_path
from edgeau.sources.kinds import (
    PICTURES,
    VIDEOS,
    files_of_folder,
    files_of_glob,
    is_glob,
    kind_of,
    picture_series,
)
from edgeau_apps.analyze.decoder_logging import decoder_lines_dropped

__all__ = ["Found", "Input", "Refused", "find_inputs", "loaded_for", "real_path"]

T = TypeVar("T")

_MEDIA = PICTURES | VIDEOS
Kind: TypeAlias = Literal["picture", "video"]
# Our own annotated pictures and videos are results: analyzing a folder twice must not analyze them too.
_OURS = ".annotated"
_EVENTS = ".events"
_LONGEST = 200  # bytes of a stem
_SHOWN = 3  # inputs that one message names


@dataclass(frozen=True)
class Input:
    """One file to analyze.

    Attributes:
        name: for people: as it was given, or the path in what was given.
        path: the file, or the folder or pattern of a film that is made of pictures.
        kind: what it is.
        stem: its tables are ``<stem>.csv`` and ``<stem>.jsonl``; it may have folders in front.
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


@dataclass(frozen=True)
class Found:
    """Files that arguments name.

    Attributes:
        inputs: to analyze, each once, in the order given.
        refused: arguments that name nothing.
        left_out: files of folders and patterns that are neither pictures nor videos by their names.
    """

    inputs: list[Input]
    refused: list[Refused]
    left_out: list[Path]


def find_inputs(names: list[str], *, sequence: bool = False) -> Found:
    """The files that arguments name.

    A folder stands for the pictures and videos directly in it; a pattern may go deeper with ``**``; ``clip`` is the
    packaged clip. Of inputs that share a stem, those of other folders keep their folder in front of it
    (``s1/talk``, ``s2/talk``), those of one folder get ``-2``, ``-3``, ... behind it.

    Args:
        names: as given.
        sequence: each of them, a folder or a pattern, is one film, its pictures being the frames.
    """
    found: dict[str, tuple[str, Path, str]] = {}
    refused: list[Refused] = []
    left_out: dict[Path, None] = {}
    for name in names:
        if sequence:
            path, others, why = _sequence_or_why(name)
            left_out |= dict.fromkeys(others)
            if path is None:
                refused.append(Refused(name, why))
            else:
                found.setdefault(os.path.realpath(path), (name, path, _sequence_stem(path)))
            continue
        files, others, why = _files_or_why(name)
        left_out |= dict.fromkeys(others)
        if why:
            refused.append(Refused(name, why))
        for path in files:
            if why := _closed(path):
                refused.append(Refused(str(path), why))
                continue
            clip = name == "clip"
            found.setdefault(
                real_path(path), (name if clip else str(path), path, name if clip else path.stem)
            )
    stems = _distinct([(path.parent, _short(stem)) for _, path, stem in found.values()])
    inputs = [
        Input(name, path, "video" if sequence else kind_of(path), stem)
        for (name, path, _), stem in zip(found.values(), stems, strict=True)
    ]
    return Found(inputs, refused, list(left_out))


def loaded_for(inputs: Sequence[Input], load: Callable[[], T]) -> T:
    """Call ``load``. Where it fails and none of the inputs can be read, the inputs are blamed: nothing would make them readable.

    Raises:
        InputError: no input can be read.
        UserError: as ``load`` raises it.
    """
    try:
        return load()
    except UserError as error:
        faults = _faults_of_all(inputs)
        if not faults:
            raise
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise InputError("; ".join(faults[:_SHOWN]) + more) from error


def _faults_of_all(inputs: Sequence[Input]) -> list[str]:
    """Why each input gives no frame; empty where one does, or is a film of pictures, whose names were looked at."""
    faults = []
    for one in inputs:
        if not one.path.is_file():
            return []
        try:
            with decoder_lines_dropped(), open_source(one.path) as source:
                if next(iter(source), None) is not None:
                    return []
        except UserError as error:
            faults.append(str(error))
    return faults


def real_path(path: Path) -> str:
    """The same text for the same file, however it is reached; a hundred thousand of them take a second."""
    if path.is_symlink():
        return os.path.realpath(path)
    return os.path.join(_real_folder(os.path.abspath(os.path.dirname(path))), path.name)  # noqa: PTH100, PTH118, PTH120 - half the time


@lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    """Resolve an absolute folder."""
    return os.path.realpath(folder)


def _sequence_or_why(name: str) -> tuple[Path | None, list[Path], str]:
    try:
        others = picture_series(name).left_out
    except (InputError, OSError) as error:
        return None, [], str(error)
    return Path(name), others, ""


def _sequence_stem(path: Path) -> str:
    """A name for the tables of a film made of pictures: the folder's, or what a pattern has of letters."""
    if path.is_dir():
        return path.resolve().name
    return re.sub(r"%\d*d|[*?\[\]]+", "", path.stem).strip(" ._-") or path.resolve().parent.name


def _short(stem: str) -> str:
    """A stem that leaves room for what is put behind it: file names have 255 bytes."""
    if len(os.fsencode(stem)) <= _LONGEST:
        return stem
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    return os.fsencode(stem)[: _LONGEST - 9].decode("utf-8", "ignore") + "-" + digest


def _files_or_why(name: str) -> tuple[list[Path], list[Path], str]:
    try:
        return *_files(name), ""
    except (InputError, OSError) as error:
        return [], [], str(error)


def _closed(path: Path) -> str:
    """Why the system does not find a file that a folder or pattern names: a link that leads nowhere; empty where it does."""
    try:
        path.stat()
    except OSError as error:
        return f"{str(path)!r} cannot be read: {error.strerror or error}"
    return ""


def _beside(path: Path) -> list[str]:
    """Names of what lies where a file was looked for, as far as this user may see it."""
    folder = path.parent
    try:
        return [str(folder / one.name) for one in folder.iterdir()]
    except OSError:
        return []


def _files(name: str) -> tuple[list[Path], list[Path]]:
    """Files that a name stands for, and those that it leaves out."""
    path = Path(name)
    if name == "clip":
        return [clip_path()], []
    if not name or not (path.exists() or is_glob(name)):
        raise InputError(
            f"{without_secrets(name)!r} does not exist; {did_you_mean(name, ('clip', *_beside(path)))}give pictures, videos, folders or patterns of them, or clip"
        )
    if not path.is_dir() and not is_glob(name):
        kind_of(path)
        return [path], []
    every = files_of_folder(path, None) if path.is_dir() else files_of_glob(name, None)
    every = [file for file in every if not file.stem.endswith(_OURS)]
    files = [file for file in every if file.suffix.lower() in _MEDIA]
    if not files:
        raise InputError(f"{name!r} holds no pictures or videos; known are {', '.join(sorted(_MEDIA))}")
    return files, [file for file in every if file.suffix.lower() not in _MEDIA]


def _distinct(places: list[tuple[Path, str]]) -> list[str]:
    """A name for the tables of each input, also on file systems that take A for a.

    Args:
        places: folder and stem of each.
    """
    folders: dict[str, set[str]] = {}
    for folder, stem in places:
        folders.setdefault(stem.casefold(), set()).add(_real_folder(str(folder.absolute())))
    roots = {stem: os.path.commonpath(same) for stem, same in folders.items() if len(same) > 1}
    named = []
    for folder, stem in places:
        root = roots.get(stem.casefold())
        inside = "." if root is None else os.path.relpath(_real_folder(str(folder.absolute())), root)
        named.append(stem if inside == "." else f"{inside}/{stem}")
    taken = {name.casefold() for name in named}
    # The table of events of talk.mp4 has the name that a table of talk.events.mp4 would have.
    seen = {f"{name}{_EVENTS}".casefold() for name in named}
    return [_free(name, taken, seen) for name in named]


def _free(stem: str, taken: set[str], seen: set[str]) -> str:
    name, number = stem, 1
    while name.casefold() in seen or (number > 1 and name.casefold() in taken):
        number += 1
        name = f"{stem}-{number}"
    seen.add(name.casefold())
    return name
