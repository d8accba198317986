"""Which action units act in the crops of a calibration set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Activity"]


@dataclass(frozen=True)
class Activity:
    """Decisions about every crop.

    Attributes:
        labels: C AU labels.
        active: bool ``(n, C)``.
        source: who decided, for people: ``"the float network"``.
    """

    labels: tuple[str, ...]
    active: NDArray[np.bool_]
    source: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels that are active in no crop."""
        shown = self.active.any(axis=0)
        return tuple(label for label, seen in zip(self.labels, shown, strict=True) if not seen)

    def of(self, chosen: NDArray[np.intp]) -> Activity:
        """Of the chosen crops only."""
        return Activity(self.labels, self.active[chosen], self.source)
