"""A finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LEVELS", "LONGER", "Finding"]

# From harmless to what keeps edgeau from running; the order is that of severity.
LEVELS = ("good", "note", "warning", "problem")

LONGER = "run edgeau-doctor again with --time-limit 600, while the machine does nothing else"
"""What to do where a trial did not end in time."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        level: one of :data:`LEVELS`.
        subject: two or three words.
        says: what is so.
        fix: what to do, "" where nothing needs to be done.
    """

    level: str
    subject: str
    says: str
    fix: str = ""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {self.level!r}")
        if self.level in ("warning", "problem") and not self.fix:
            raise ValueError(f"{self.subject}: a {self.level} says what to do")
