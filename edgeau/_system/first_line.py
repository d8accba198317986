"""The first line of what an error says, for messages of one line."""

from __future__ import annotations

__all__ = ["first_line"]


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its class where it has none, as after a bare ``assert``."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
