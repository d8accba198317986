"""USTC's frame sampling: of every video one frame in ten, and one in five of those that show a rare AU.

The paper names one fifth for AU2, 15, 23, 24 and 26 without saying of what; that frames showing any of them are kept at
that rate is the reading closest to its words (ours). Validation takes all frames and needs no sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.sampling import Sampled
from edgeau_training.sampling.draw import Draw

__all__ = ["RareAUs", "thin_clips"]

RARE = ("AU2", "AU15", "AU23", "AU24", "AU26")


class RareAUs:
    """The same thinned rows each epoch, in a new order.

    Args:
        data: the training rows, those of a clip in the order of time.
        seed: seed of the orders.
        rare: AUs whose frames are kept more often.
        every_rare: one in so many frames that show a rare AU is kept.
        every_other: one in so many of the others.
    """

    def __init__(
        self,
        data: Sampled,
        seed: int = 0,
        rare: Sequence[str] = RARE,
        every_rare: int = 5,
        every_other: int = 10,
    ) -> None:
        if every_rare < 1 or every_other < 1:
            raise UsageError(f"rare-aus keeps one frame in 1 or more, got {every_rare} and {every_other}")
        columns = [data.labels.index(label) for label in rare if label in data.labels]
        if not columns:
            raise UsageError(
                f"none of the rare AUs {' '.join(rare)} is among the labels {' '.join(data.labels)}"
            )
        active = ((data.occurrence > 0) & (data.mask > 0))[:, columns].any(axis=1)
        self._mask, self._seed = data.mask, seed
        self.rows = thin_clips(active, (data.mask > 0).any(axis=1), data.clip, every_rare, every_other)

    def epoch(self, number: int) -> Draw:
        """The rows of one epoch."""
        order = np.random.default_rng((self._seed, number)).permutation(self.rows)
        return Draw(order, self._mask[order].astype(np.uint8))


def thin_clips(
    rare: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    clip: NDArray[np.int32],
    every_rare: int,
    every_other: int,
) -> NDArray[np.int64]:
    """Rows that are kept, int64, ascending: of each clip's usable rows, the first and then every so-manieth of a kind.

    Args:
        rare: boolean ``(N,)``, whether a rare AU is active.
        usable: boolean ``(N,)``, whether any label is known.
        clip: int32 ``(N,)``.
        every_rare: step among the rare rows of a clip.
        every_other: step among its other rows.
    """
    kept = []
    for kind, step in ((usable & rare, every_rare), (usable & ~rare, every_other)):
        rows = np.flatnonzero(kind)
        rows = rows[np.argsort(clip[rows], kind="stable")]
        # The place of each row within its clip: its place among all, less that of the clip's first.
        starts = np.searchsorted(clip[rows], clip[rows], side="left")
        kept.append(rows[(np.arange(len(rows)) - starts) % step == 0])
    return np.sort(np.concatenate(kept))
