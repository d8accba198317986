"""The user's cache directory, for what this library may lose, and notes in it by what they depend on."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.json_text import parse_json
from edgeau.errors import OutputError

__all__ = ["KeyedCache", "cache_directory"]

_log = logging.getLogger(__name__)


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/edgeau``, or ``~/.cache/edgeau``; not made here.

    Raises:
        RuntimeError: the user has no home directory.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification says to ignore a relative path.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "edgeau"


class KeyedCache:
    """Notes of one kind, each a JSON file named after the facts that it depends on.

    A cache that cannot be read or written costs work that is done again, and nothing else.

    Args:
        kind: name of the folder in the cache directory.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def get(self, facts: dict[str, Any]) -> dict[str, Any] | None:
        """Read what was kept for these facts, plain JSON values; None where nothing was, or it cannot be read."""
        try:
            note = parse_json(self._file(facts).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError, RuntimeError):
            return None
        return note if isinstance(note, dict) else None

    def put(self, facts: dict[str, Any], values: dict[str, Any]) -> None:
        """Keep values for these facts, which are kept beside them for people."""
        try:
            write_whole(self._file(facts), json.dumps({**facts, **values}, indent=2).encode())
        except (OutputError, RuntimeError) as error:
            _log.info("the cache of %s cannot be written: %s", self._kind, error)

    def _file(self, facts: dict[str, Any]) -> Path:
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return cache_directory() / self._kind / f"{name}.json"
