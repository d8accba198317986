"""Differences of two models on the same faces: decisions that flip, and the largest change of a probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.evaluation.metrics import measure
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """Per AU of the labels that both models have; every face counts, labelled or not.

    Attributes:
        labels: C labels, in the first model's order.
        flips: float64 ``(C,)``, share of faces decided differently, each model at its own thresholds, 0..1.
        largest_change: float64 ``(C,)``, largest absolute difference of probability, 0..1.
        mean_change: float64 ``(C,)``, mean absolute difference of probability, 0..1.
        f1_drop: float64 ``(C,)``, F1 of the other model minus F1 of the first; NaN where an AU has no positive.
    """

    labels: tuple[str, ...]
    flips: NDArray[np.float64]
    largest_change: NDArray[np.float64]
    mean_change: NDArray[np.float64]
    f1_drop: NDArray[np.float64]


def compare(model: Predictions, other: Predictions) -> Comparison:
    """Compare ``model`` with ``other``, its reference, on the same faces in the same order.

    Raises:
        InputError: no label in common, or other faces.
    """
    labels = tuple(label for label in model.labels if label in other.labels)
    if not labels:
        raise InputError(
            f"the two models share no label: {', '.join(model.labels)} against {', '.join(other.labels)}"
        )
    model, other = model.select(labels), other.select(labels)
    if not np.array_equal(model.truth, other.truth):
        raise InputError("the two models were not run on the same faces, so they cannot be compared")
    change = np.abs(model.probabilities - other.probabilities)
    flips = (model.decisions != other.decisions).mean(axis=0)
    return Comparison(
        labels, flips, change.max(axis=0), change.mean(axis=0), measure(other).f1 - measure(model).f1
    )
