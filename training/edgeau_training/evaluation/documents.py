"""Writing a JSON document so that it appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole

__all__ = ["write_document"]


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write strict JSON (no NaN).

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    write_whole(path, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
