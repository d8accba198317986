"""Data of a run, to train, validate and measure on: the synthetic set, or one division of a data set of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.trainer.fold_data import FoldData
from edgeau_training.trainer.framing import Framing
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.synthetic_data import SyntheticData

__all__ = ["SYNTHETIC", "TrainingData", "open_training_data"]

SYNTHETIC = "synthetic"


class TrainingData(Protocol):
    """Interface of a run's data.

    Attributes:
        labels: C AU labels.
        train: what is trained on.
        validation: what is looked at between stages, and thresholds are fitted on; None looks at the test side.
        test: what the run is measured on at its end; None measures on the validation side.
        fold: name of the division, "" where there is only one.
        digest: digest of all that was read: pictures' names and labels, or what the rendered set says of itself.
        division: digest of what else a run depends on: rows of each side, clips, people and intensities; "" where ``digest`` says all.
        parts: names of the parts that ``train`` holds.
    """

    labels: tuple[str, ...]
    train: LabelledCrops
    validation: LabelledCrops | None
    test: LabelledCrops | None
    fold: str
    digest: str
    division: str
    parts: list[str]

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for every row of the data that had to be left out; grows while damaged pictures are met."""

    def grow(self) -> bool:
        """Takes in what has appeared since; whether there was anything."""

    def intensity(self) -> NDArray[np.float32] | None:
        """Intensity of the training side, float32 ``(N, C)``, 0..1; None where the data has none."""

    def points(self) -> NDArray[np.float32] | None:
        """Landmarks of the training side in pixels of its stored crops, ``(N, P, 2)``; None where the data has none."""


def open_training_data(
    recipe: Recipe,
    root: Path,
    crops: Path,
    framing: Framing,
    fold: str = "",
    parts: Sequence[str] | None = None,
    first: Callable[[], Any] | None = None,
) -> TrainingData:
    """Opens what the recipe names.

    Args:
        recipe: says which data set.
        root: its folder.
        crops: folder for aligned crops, where the data set has none.
        framing: framing of the network.
        fold: division; "" for the recipe's, or the data set's first.
        parts: parts of a run that is resumed.
        first: context in which the first process prepares crops before the others.

    Raises:
        UserError: whatever is wrong with the data, with file and row.
    """
    if recipe.data.set == SYNTHETIC:
        if fold or recipe.data.fold:
            raise UsageError("the synthetic set has one division, train and val; it takes no fold")
        return SyntheticData(root, recipe.labels, framing, parts)
    return FoldData(recipe.data, root, recipe.labels, crops, framing, fold, first)
