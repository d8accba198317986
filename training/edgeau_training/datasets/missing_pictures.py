"""What to do about a label whose picture is not there."""

from __future__ import annotations

import warnings
from pathlib import Path

from edgeau.errors import UsageError

__all__ = ["ERROR", "SKIP", "MissingPicturesWarning", "check_choice", "note_left_out"]

ERROR = "error"  # stop: the copy is incomplete, or the list belongs to other pictures
SKIP = "skip"  # go on without it, and say how many there were


class MissingPicturesWarning(UserWarning):
    """Labels were left out because their pictures are not there."""


def check_choice(choice: str) -> str:
    """The choice itself, when it is one.

    Raises:
        UsageError: it is neither ``error`` nor ``skip``.
    """
    if choice not in (ERROR, SKIP):
        raise UsageError(
            f"missing={choice!r} is not known; missing pictures are an {ERROR}, or {SKIP} leaves them out"
        )
    return choice


def note_left_out(name: str, folder: Path, count: int) -> None:
    """Says how many labels were left out; silent when none were."""
    if count:
        warnings.warn(
            f"{name}: {count} labelled frames have no picture in {folder} and were left out",
            MissingPicturesWarning,
            stacklevel=3,
        )
