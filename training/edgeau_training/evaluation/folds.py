"""Metrics over the folds of a cross-validation, both ways that the literature has them.

(a) each fold is measured by itself and the folds' values are averaged: the headline, as the released code of the comparison
methods measures one fold at a time. (b) the folds' test faces are pooled and measured once. Publications do not say which
they print. F1 is 0 where its denominator is, with a warning, as scikit-learn has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning

from edgeau.errors import InputError
from edgeau_training.evaluation.metrics import auc, count
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["FoldMetrics", "Measures", "over_folds"]


@dataclass(frozen=True)
class Measures:
    """Per AU, float64 ``(C,)``, 0..1: F1, accuracy (NaN where nothing was judged), AUC (NaN with one class only)."""

    f1: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    auc: NDArray[np.float64]


@dataclass(frozen=True)
class FoldMetrics:
    """Metrics of K folds.

    Attributes:
        labels: C AU labels.
        folds: of each fold by itself.
        mean: (a) the mean over folds, of those in which a value is defined.
        pooled: (b) over all test faces together. Its AUC compares scores of different models.
    """

    labels: tuple[str, ...]
    folds: tuple[Measures, ...]
    mean: Measures
    pooled: Measures


def over_folds(folds: Sequence[Predictions]) -> FoldMetrics:
    """Metrics of a cross-validation.

    Args:
        folds: each fold's predictions on its test side, at its own thresholds.

    Raises:
        InputError: there is no fold, or folds differ in their labels.
    """
    if len({fold.labels for fold in folds}) != 1:
        raise InputError("folds need predictions of one fold or more, all for the same labels")
    each = tuple(_measure(fold, f"fold {number}") for number, fold in enumerate(folds, start=1))
    mean = Measures(*(_mean([getattr(fold, name) for fold in each]) for name in ("f1", "accuracy", "auc")))
    return FoldMetrics(folds[0].labels, each, mean, _pooled(folds))


def _measure(predictions: Predictions, where: str) -> Measures:
    counts = count(predictions)
    empty = counts.tp + counts.fp + counts.fn == 0
    if empty.any():
        names = " ".join(label for label, none in zip(predictions.labels, empty, strict=True) if none)
        warnings.warn(
            f"{where}: F1 of {names} is set to 0: neither present nor predicted anywhere",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return Measures(counts.f1, counts.accuracy, auc(predictions))


def _pooled(folds: Sequence[Predictions]) -> Measures:
    counts = [count(fold) for fold in folds]
    together = type(counts[0])(
        *(np.sum([getattr(part, cell) for part in counts], axis=0) for cell in ("tp", "fp", "fn", "tn"))
    )
    logits, truth = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("logits", "truth"))
    table = Predictions(folds[0].labels, logits, truth, folds[0].thresholds)
    return Measures(together.f1, together.accuracy, auc(table))


def _mean(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean over folds, NaN where no fold has a value."""
    table = np.stack(values)
    defined = np.isfinite(table)
    total = np.where(defined, table, 0.0).sum(axis=0)
    return np.where(defined.any(axis=0), total / np.maximum(defined.sum(axis=0), 1), np.nan)
