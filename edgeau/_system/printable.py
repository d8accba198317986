"""Text that every program can read, of names that need not be text."""

from __future__ import annotations

from pathlib import Path

__all__ = ["printable"]


def printable(text: Path | str) -> str:
    """A path, or text with one in it, in which bytes that are no UTF-8 are shown as escapes."""
    try:
        return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair of code units, which is not a byte of a name
        return str(text).encode("utf-8", "backslashreplace").decode()
