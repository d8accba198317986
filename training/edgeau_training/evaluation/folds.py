"""Metrics over the folds of a cross-validation, both ways that the literature has them.

(a) each fold is measured by itself and the folds' values are averaged: the headline, as the released code of the comparison
methods measures one fold at a time. (b) the folds' test faces are pooled and measured once. Publications do not say which
they print. F1 is 0 where its denominator is, with a warning, as scikit-learn has it, and undefined where nothing is labelled.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning

from edgeau.errors import InputError
from edgeau.metrics import ConfusionCounts
from edgeau_training.evaluation.metrics import auc, count
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.postprocessing.soft_thresholds import soft_thresholds

__all__ = ["FoldMetrics", "Measures", "folds_document", "over_folds"]


@dataclass(frozen=True)
class Measures:
    """Per AU, float64 ``(C,)``, 0..1: F1 and accuracy (NaN where nothing is labelled), AUC (NaN with one class only)."""

    f1: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    auc: NDArray[np.float64]


@dataclass(frozen=True)
class FoldMetrics:
    """Metrics of K folds.

    Attributes:
        labels: C AU labels.
        folds: folds of each fold by itself.
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
    empty = (counts.tp + counts.fp + counts.fn == 0) & (counts.tn > 0)
    if empty.any():
        names = " ".join(label for label, none in zip(predictions.labels, empty, strict=True) if none)
        warnings.warn(
            f"{where}: F1 of {names} is set to 0: neither present nor predicted anywhere",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return Measures(_f1(counts), counts.accuracy, auc(predictions))


def _f1(counts: ConfusionCounts) -> NDArray[np.float64]:
    """F1 of what was labelled: an AU without a label was answered neither well nor badly."""
    return np.where(np.isfinite(counts.accuracy), counts.f1, np.nan)


def _pooled(folds: Sequence[Predictions]) -> Measures:
    counts = [count(fold) for fold in folds]
    together = type(counts[0])(
        *(np.sum([getattr(part, cell) for part in counts], axis=0) for cell in ("tp", "fp", "fn", "tn"))
    )
    logits, truth = (np.concatenate([getattr(fold, name) for fold in folds]) for name in ("logits", "truth"))
    table = Predictions(folds[0].labels, logits, truth, folds[0].thresholds)
    return Measures(_f1(together), together.accuracy, auc(table))


def _mean(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean over folds, NaN where no fold has a value."""
    table = np.stack(values)
    defined = np.isfinite(table)
    total = np.where(defined, table, 0.0).sum(axis=0)
    return np.where(defined.any(axis=0), total / np.maximum(defined.sum(axis=0), 1), np.nan)


def folds_document(names: Sequence[str], tables: Sequence[Predictions], rule: str) -> dict[str, Any]:
    """A cross-validation as plain JSON values; what is undefined is null.

    Args:
        names: names of the folds.
        tables: each fold's predictions on its test side, at its own thresholds.
        rule: by which thresholds are fitted on each fold and averaged, or ``"half"``.

    Returns:
        ``folds``, ``mean`` and ``pooled`` with F1, accuracy, AUC, their score and values per label, and ``thresholds``.

    Raises:
        InputError: there is no fold, or folds differ in their labels.
    """
    metrics = over_folds(tables)
    labels = metrics.labels
    thresholds = np.full(len(labels), 0.5) if rule == "half" else soft_thresholds(tables, rule)
    return {
        "labels": list(labels),
        "folds": {
            name: {"faces": len(table.logits), **_figures(labels, fold)}
            for name, table, fold in zip(names, tables, metrics.folds, strict=True)
        },
        "mean": _figures(labels, metrics.mean),
        "pooled": _figures(labels, metrics.pooled),
        "thresholds": {
            label: round(float(value), 6) for label, value in zip(labels, thresholds, strict=True)
        },
    }


def _figures(labels: Sequence[str], measures: Measures) -> dict[str, Any]:
    means = {name: _defined_mean(values) for name, values in vars(measures).items()}
    per_au = {
        label: {name: _number(values[column]) for name, values in vars(measures).items()}
        for column, label in enumerate(labels)
    }
    accuracy, f1 = means["accuracy"], means["f1"]
    score = None if accuracy is None or f1 is None else round((accuracy + f1) / 2, 4)
    return {**means, "score": score, "per_au": per_au}


def _defined_mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return _number(known.mean()) if len(known) else None


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
