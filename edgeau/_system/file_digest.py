"""SHA-256 of files, read in pieces."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["file_digest"]


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    state = hashlib.sha256()
    # Read into the same memory again and again: new memory for every piece takes as long as the digest.
    memory = memoryview(bytearray(1 << 18))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(memory):
            state.update(memory[:size])
    return state.hexdigest()
