"""Outcome of one proof."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """Figures of a proof, for the report.

    Attributes:
        name: of what was proven.
        tried: how often.
        said: figures, by name.
        faults: what should not have happened, by the number of the trial.
    """

    name: str
    tried: int = 0
    said: dict[str, float | int | str] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
