"""Identity of a table: the input, the bundle, the options it was made of. ``--resume`` compares it, not names."""

from __future__ import annotations

import hashlib
import os
from argparse import Namespace
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from edgeau import __version__
from edgeau._system.file_digest import file_digest
from edgeau._system.json_text import parse_json
from edgeau._system.printable import printable
from edgeau.bundle.packaged import bundle_folder
from edgeau.errors import InputError
from edgeau.sources.kinds import picture_series
from edgeau_apps.analyze.inputs import Input, real_path

__all__ = ["Identity", "Made", "made"]

_OPTIONS = (
    "landmarks",
    "pose",
    "smooth",
    "events",
    "experimental",
    "annotate",
    "max_faces",
    "artifact",
    "fps",
    "skip",
    "search_every",
    "also",
)
_TAIL = 1 << 22  # bytes at the end of a table in which its last line begins, landmarks of many faces included


@dataclass(frozen=True)
class Identity:
    """Bundle and options that the tables of this run are made with."""

    bundle: str
    bundle_sha256: str
    options: dict[str, Any]

    @classmethod
    def of(cls, arguments: Namespace) -> Identity:
        """From the command's arguments."""
        folder = bundle_folder(arguments.bundle)
        manifest = folder / "manifest.json"
        digest = file_digest(manifest) if manifest.is_file() else ""
        options = {name: getattr(arguments, name) for name in _OPTIONS}
        networks = arguments.landmarker_model
        options["landmarker_model"] = None if networks is None else printable(networks.resolve())
        return cls(printable(folder.resolve()), digest, options)

    def source(self, given: Input, **measured: Any) -> dict[str, Any]:
        """Describe an input for the first line of its table.

        Args:
            given: the input.
            measured: what is known only once it is open, such as its size in pixels.

        Raises:
            InputError: the input cannot be read any more.
        """
        try:
            content = _content(given)
            digest = _digest(content)
        except OSError as error:
            raise _unreadable(given, error) from error
        return {
            "path": printable(real_path(given.path)),
            "bytes": content.bytes,
            "modified_ns": content.modified_ns,
            "sha256": digest,
            **measured,
            "bundle": self.bundle,
            "bundle_sha256": self.bundle_sha256,
            "options": self.options,
            "edgeau": __version__,
        }

    def made(self, given: Input, found: Made) -> bool:
        """Tell whether a table is this input's, with this bundle and these options, and complete."""
        if not (
            found.is_complete
            and found.source.get("options") == self.options
            and found.source.get("bundle_sha256") == self.bundle_sha256
        ):
            return False
        try:
            content = _content(given)
            if found.source.get("bytes") != content.bytes:
                return False
            same_place = found.source.get("path") == printable(real_path(given.path))
            if same_place and found.source.get("modified_ns") == content.modified_ns:
                return True
            return bool(found.source.get("sha256") == _digest(content))
        except (InputError, OSError):  # it is told when it is analyzed
            return False


@dataclass(frozen=True)
class Made:
    """A table's own record: what it was made of, and whether it is whole."""

    source: dict[str, Any]
    is_complete: bool


def made(table: Path) -> Made | None:
    """Read a ``.jsonl`` table's own record; None where there is no table, or it has none."""
    try:
        with table.open("rb") as file:
            first = file.readline(_TAIL)
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        source, end = parse_json(first).get("source"), parse_json(last).get("end")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(source, dict):
        return None
    return Made(source, isinstance(end, dict) and end.get("complete") is True)


@dataclass(frozen=True)
class _Content:
    """An input's files, as they are now.

    Attributes:
        files: one; of a film that is made of pictures all of them, in their order.
        bytes: of all together.
        modified_ns: time of the newest change; of a film of pictures also of their folders, which change where one comes or goes.
    """

    files: tuple[Path, ...]
    bytes: int
    modified_ns: int


def _content(given: Input) -> _Content:
    if given.path.is_file():
        stat = given.path.stat()
        return _Content((given.path,), stat.st_size, stat.st_mtime_ns)
    files = tuple(picture_series(os.fspath(given.path)).files)
    stats = [file.stat() for file in files]
    folders = {file.parent for file in files}
    changed = max(*(stat.st_mtime_ns for stat in stats), *(folder.stat().st_mtime_ns for folder in folders))
    return _Content(files, sum(stat.st_size for stat in stats), changed)


@lru_cache(maxsize=4)
def _digest(content: _Content) -> str:
    """SHA-256 of a file; of several that of their names and digests."""
    if len(content.files) == 1:
        return file_digest(content.files[0])
    state = hashlib.sha256()
    for file in content.files:
        state.update(os.fsencode(file.name) + b"\0" + file_digest(file).encode())
    return state.hexdigest()


def _unreadable(given: Input, error: OSError) -> InputError:
    return InputError(f"{os.fspath(given.path)!r} cannot be read: {error.strerror or error}")
