"""Every frame once an epoch, shuffled."""

from __future__ import annotations

import numpy as np

from edgeau_training.sampling import Sampled
from edgeau_training.sampling.draw import Draw

__all__ = ["Uniform"]


class Uniform:
    """All rows in a new order each epoch.

    Args:
        data: the training rows.
        seed: seed of the orders.
    """

    def __init__(self, data: Sampled, seed: int = 0) -> None:
        self._mask, self._seed = data.mask, seed

    def epoch(self, number: int) -> Draw:
        """The rows of one epoch."""
        order = np.random.default_rng((self._seed, number)).permutation(len(self._mask))
        return Draw(order, self._mask[order].astype(np.uint8))
