"""Where this library keeps what it may lose: the user's cache directory."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_directory"]


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/edgeau``, or ``~/.cache/edgeau``; not made here.

    Raises:
        RuntimeError: the user has no home directory.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification says to ignore a relative path.
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "edgeau"
