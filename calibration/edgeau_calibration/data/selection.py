"""Selection of N crops of many by the action units that act in them, so that each AU is shown as often as the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.data.crops import evenly

__all__ = ["Activity", "balance_activity"]


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
        """Keep the chosen crops only."""
        return Activity(self.labels, self.active[chosen], self.source)


def balance_activity(active: NDArray[np.bool_], wanted: int) -> NDArray[np.intp]:
    """Indices of ``wanted`` crops (or all, if there are fewer), ascending.

    Half of the crops are chosen one by one, each for the AU that so far is shown least and can still be shown more; of the
    crops with it the one is taken that shows most of the rarely shown others. The other half is evenly spaced over what is
    left: faces without expression are most of what a camera sees, and their ranges count too.

    Args:
        active: bool ``(n, C)``.
        wanted: how many.
    """
    if len(active) <= wanted:
        return np.arange(len(active))
    chosen = _rarest_first(active, wanted // 2)
    left = np.setdiff1d(np.arange(len(active)), chosen)
    rest = left[evenly(len(left), wanted - len(chosen))]
    return np.sort(np.concatenate((chosen, rest)).astype(np.intp))


def _rarest_first(active: NDArray[np.bool_], wanted: int) -> NDArray[np.intp]:
    free = np.ones(len(active), bool)
    shown = np.zeros(active.shape[1], np.int64)
    chosen: list[int] = []
    while len(chosen) < wanted:
        available = active[free].any(axis=0)
        if not available.any():
            break
        rarest = int(np.argmin(np.where(available, shown, np.iinfo(np.int64).max)))
        candidates = np.flatnonzero(free & active[:, rarest])
        worth = (active[candidates] / (1.0 + shown)).sum(axis=1)
        best = int(candidates[np.argmax(worth)])
        chosen.append(best)
        free[best] = False
        shown += active[best]
    return np.array(chosen, np.intp)
