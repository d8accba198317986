"""DRML's option: per video and AU, a few frames with the AU and a few without; no other label of the video counts.

The sources of DRML do not describe its sampling; its three-valued labels, of which 0 is ignored, exist for exactly this.
The numbers are those of related work of the same group and a hint, not a figure of the publication.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.sampling import Sampled
from edgeau_training.sampling.draw import Draw

__all__ = ["PerAU"]


class PerAU:
    """Draws anew each epoch; frames of which no label was drawn are left out.

    Args:
        data: the training rows.
        seed: seed of the draws.
        positives: frames with the AU to draw per clip and AU, or all there are.
        negatives: frames without it.
    """

    def __init__(self, data: Sampled, seed: int = 0, positives: int = 100, negatives: int = 200) -> None:
        if positives < 1 or negatives < 1:
            raise UsageError(f"per-au draws 1 or more frames of each kind, got {positives} and {negatives}")
        self._seed, self._sizes = seed, (positives, negatives)
        present = (data.mask > 0) & (data.occurrence > 0)
        absent = (data.mask > 0) & ~present
        self._shape = data.mask.shape
        self._pools = [
            (column, size, pool)
            for kind, size in ((present, positives), (absent, negatives))
            for column in range(self._shape[1])
            for pool in _by_clip(kind[:, column], data.clip)
        ]

    def epoch(self, number: int) -> Draw:
        """The rows of one epoch."""
        rng = np.random.default_rng((self._seed, number))
        counts = np.zeros(self._shape, np.uint8)
        for column, size, pool in self._pools:
            rows = pool if len(pool) <= size else rng.choice(pool, size, replace=False)
            counts[rows, column] = 1
        order = rng.permutation(np.flatnonzero(counts.any(axis=1)))
        return Draw(order, counts[order])


def _by_clip(chosen: NDArray[np.bool_], clip: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """The chosen rows of each clip that has any."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(clip[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(clip[rows])) + 1
    return [part for part in np.split(rows, starts) if len(part)]
