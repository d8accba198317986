"""The question behind a word that is not known: which known one was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'int8'? "`` for a word that resembles a known one, else ``""``.

    Args:
        word: what was given.
        known: what there is.
    """
    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), names, n=1)
    return f"did you mean {names[near[0]]!r}? " if near else ""
