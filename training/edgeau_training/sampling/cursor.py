"""Batches of rows, epoch after epoch, from wherever a run stopped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.sampling import Sampler
from edgeau_training.sampling.draw import Draw

__all__ = ["Cursor"]


class Cursor:
    """Walks through a sampler's epochs in whole batches; what is left at an epoch's end is left out.

    Its state is two numbers, ``epoch`` and ``position`` (rows of that epoch that were given out). Every process of a
    distributed run walks the same batches and takes its share of each.

    Args:
        sampler: what is drawn.
        batch: rows a batch.

    Raises:
        InputError: an epoch holds less than one batch.
    """

    def __init__(self, sampler: Sampler, batch: int) -> None:
        self._sampler, self._batch = sampler, batch
        self._number, self._position = 0, 0
        self._draw = self._drawn(0)

    def epoch(self) -> Iterator[Draw]:
        """The batches that are left of the current epoch; after the last one the next epoch is the current one."""
        while self._position + self._batch <= len(self._draw):
            rows = slice(self._position, self._position + self._batch)
            self._position += self._batch
            yield Draw(self._draw.order[rows], self._draw.mask[rows])
        self._number, self._position = self._number + 1, 0
        self._draw = self._drawn(self._number)

    @property
    def batches(self) -> int:
        """Whole batches of the current epoch, those given out included."""
        return len(self._draw) // self._batch

    @property
    def order(self) -> NDArray[np.int64]:
        """All rows of the current epoch, int64 ``(M,)``."""
        return self._draw.order

    def state(self) -> dict[str, int]:
        """``epoch`` and ``position``, to be kept with a run's other states."""
        return {"epoch": self._number, "position": self._position}

    def restore(self, state: dict[str, int]) -> None:
        """Goes on from a state of a cursor over the same sampler."""
        self._number, self._position = state["epoch"], state["position"]
        self._draw = self._drawn(self._number)

    def _drawn(self, number: int) -> Draw:
        draw = self._sampler.epoch(number)
        if len(draw) < self._batch:
            raise InputError(
                f"an epoch holds {len(draw)} frames, less than one batch of {self._batch}; "
                "take smaller batches or more data"
            )
        return draw
