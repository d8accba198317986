"""MLROS: rows with rare labels are cloned until the labels are less unlike in number (Charte et al., 2015).

IRLbl(l) = positives of the most frequent label / positives of l; MeanIR is its mean over labels, taken once on the original
rows. Labels above MeanIR are the minority; clones of rows that carry them are added in turns until ``share`` of the rows
has been added or every minority label has come down to MeanIR.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.sampling import Sampled
from edgeau_training.sampling.draw import Draw

__all__ = ["MLROS", "imbalance", "oversample"]


class MLROS:
    """All rows and the clones, in a new order each epoch.

    Args:
        data: the training rows.
        seed: seed of clones and orders; the clones stay the same from epoch to epoch.
        share: clones per row, 0..1. Ours: the publication of the EmotioNet system names none, .25 is the largest that
            MLROS was studied with.
    """

    def __init__(self, data: Sampled, seed: int = 0, share: float = 0.25) -> None:
        if not 0 <= share <= 1:
            raise UsageError(f"MLROS clones a share of 0 to 1 of the rows, got {share}")
        self._mask, self._seed = data.mask, seed
        self.rows = oversample(np.asarray(data.occurrence) * data.mask, share, seed)

    def epoch(self, number: int) -> Draw:
        """The rows of one epoch."""
        order = self.rows[np.random.default_rng((self._seed, number)).permutation(len(self.rows))]
        return Draw(order, self._mask[order].astype(np.uint8))


def imbalance(positives: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float64], float]:
    """IRLbl per label, float64 ``(C,)``, and MeanIR.

    A label that never occurs has no ratio (infinity) and is left out of the mean: nothing could be cloned for it (ours).

    Args:
        positives: ``(C,)``; unknown entries do not count.
    """
    occurring = positives > 0
    ratios = np.full(len(positives), np.inf)
    ratios[occurring] = positives.max(initial=0) / positives[occurring]
    return ratios, float(ratios[occurring].mean()) if occurring.any() else 1.0


def oversample(present: NDArray[np.integer[Any]], share: float, seed: int) -> NDArray[np.int64]:
    """Row numbers of the data followed by those of its clones, int64 ``(N + clones,)``.

    Exactly ``floor(N share)`` clones are the most (ours: a round of turns is broken off there).

    Args:
        present: ``(N, C)``, 1 where a label is known to be present.
        share: clones per row.
        seed: seed of the choice of clones.
    """
    rng = np.random.default_rng(seed)
    positives = present.sum(axis=0, dtype=np.int64)
    ratios, mean = imbalance(positives)
    bags = {
        label: np.flatnonzero(present[:, label])
        for label in np.flatnonzero(np.isfinite(ratios) & (ratios > mean))
    }
    clones: list[int] = []
    wanted = int(len(present) * share)
    while bags and len(clones) < wanted:
        for label in list(bags)[: wanted - len(clones)]:
            clone = int(rng.choice(bags[label]))
            clones.append(clone)
            positives += present[clone]
            if positives.max() / positives[label] <= mean:
                del bags[label]
    return np.concatenate((np.arange(len(present)), np.array(clones, np.int64)))
