"""Samplers: which frames an epoch shows, and which of their labels count. Names map to samplers, each in its own file.

A sampler is made of labels and masks alone and opens no picture. What it draws depends on its seed and the epoch's number
and on nothing else, so a run is resumed by its epoch and its place in it (:class:`~.cursor.Cursor`).
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from edgeau_training.by_name import build_by_name
from edgeau_training.sampling.draw import Draw

__all__ = ["SAMPLERS", "Sampled", "Sampler", "build_sampler"]

# name -> "module:class"
SAMPLERS: dict[str, str] = {
    "mlros": "edgeau_training.sampling.mlros:MLROS",
    "per-au": "edgeau_training.sampling.per_au:PerAU",
    "rare-aus": "edgeau_training.sampling.rare_aus:RareAUs",
    "uniform": "edgeau_training.sampling.uniform:Uniform",
}


class Sampled(Protocol):
    """The labels that a sampler draws by; every data set's table has them, and so have crops."""

    @property
    def labels(self) -> tuple[str, ...]:
        """C AU labels."""

    @property
    def occurrence(self) -> NDArray[Any]:
        """Whole numbers ``(N, C)``, 0 or 1."""

    @property
    def mask(self) -> NDArray[Any]:
        """Whole numbers ``(N, C)``: 1 where the label is known."""

    @property
    def clip(self) -> NDArray[np.int32]:
        """int32 ``(N,)``: rows with the same number are one sequence, in the order of time."""


class Sampler(Protocol):
    """Interface of every sampler to the trainer."""

    def epoch(self, number: int) -> Draw:
        """The rows of an epoch in their order, and which labels of each count."""


def build_sampler(name: str, data: Sampled, seed: int = 0, **options: Any) -> Sampler:
    """A sampler by name.

    Args:
        name: a key of :data:`SAMPLERS`.
        data: the training rows.
        seed: seed of everything it draws.
        options: options of its class.

    Raises:
        UsageError: the name is not known, or an option does not fit.
    """
    return cast("Sampler", build_by_name("sampler", SAMPLERS, name, data, seed, **options))
