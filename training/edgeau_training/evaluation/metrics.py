"""Measurements of :class:`Predictions`: metrics per AU, their bootstrap intervals, and thresholds fitted on them.

The definitions are those of :mod:`edgeau.metrics`; here they are applied to labelled entries and put beside their labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.metrics import (
    ConfusionCounts,
    RankedScores,
    bootstrap_weights,
    confusion_counts,
    f1_scores,
    fitted_thresholds,
    log_odds,
    macro_mean,
    percentile_interval,
    probability,
)
from edgeau_training.evaluation.predictions import Predictions

__all__ = [
    "FALLBACK",
    "Intervals",
    "Metrics",
    "abaw_score",
    "auc",
    "count",
    "emotionet_score",
    "fit_thresholds",
    "flat_shifts",
    "intervals",
    "matched_thresholds",
    "measure",
]

# The threshold of an AU with too few positives to fit one: that of a network that was never tuned.
FALLBACK = 0.5


@dataclass(frozen=True)
class Metrics:
    """Measured per AU, float64 ``(C,)``; NaN where undefined, F1 where an AU has no positive in the data."""

    labels: tuple[str, ...]
    f1: NDArray[np.float64]
    auc: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    positives: NDArray[np.int64]
    labelled: NDArray[np.int64]


@dataclass(frozen=True)
class Intervals:
    """Lower and upper ends, float64 ``(C, 2)`` per AU and ``(2,)`` for the means over AUs; NaN where undefined."""

    confidence: float
    resamples: int
    unit: str
    f1: NDArray[np.float64]
    auc: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    f1_mean: NDArray[np.float64]
    auc_mean: NDArray[np.float64]
    accuracy_mean: NDArray[np.float64]


def count(predictions: Predictions) -> ConfusionCounts:
    """Confusion counts per AU over labelled entries."""
    return confusion_counts(predictions.decisions, predictions.truth == 1, predictions.known)


def auc(predictions: Predictions) -> NDArray[np.float64]:
    """Area under the ROC curve per AU, float64 ``(C,)``; NaN where only one class is present."""
    return np.array([ranked.auc() for ranked in _ranked(predictions)])


def measure(predictions: Predictions) -> Metrics:
    """All metrics of one model on one data set."""
    counts = count(predictions)
    positives = counts.tp + counts.fn
    labelled = positives + counts.fp + counts.tn
    f1 = np.where(positives > 0, counts.f1, np.nan)
    return Metrics(predictions.labels, f1, auc(predictions), counts.accuracy, positives, labelled)


def intervals(
    predictions: Predictions, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Intervals:
    """Bootstrap intervals of F1, AUC and accuracy, over persons where they are known.

    Args:
        predictions: predictions of one model.
        resamples: bootstrap draws.
        confidence: coverage, 0..1.
        seed: seed of the draws; the same seed gives the same intervals.
    """
    decided, present, known = predictions.decisions, predictions.truth == 1, predictions.known
    weights = bootstrap_weights(len(predictions.logits), resamples, predictions.groups, seed)
    resampled = (
        f1_scores(decided, present, known, weights),
        np.stack([[ranked.auc(drawn) for drawn in weights] for ranked in _ranked(predictions)], axis=1),
        confusion_counts(decided, present, known, weights).accuracy,
    )
    per_au = [percentile_interval(values, confidence) for values in resampled]
    means = [
        percentile_interval(np.array([macro_mean(row) for row in values]), confidence) for values in resampled
    ]
    unit = "faces" if predictions.groups is None else "persons"
    return Intervals(confidence, resamples, unit, *per_au, *means)


def fit_thresholds(predictions: Predictions, objective: str = "f1") -> NDArray[np.float64]:
    """One threshold per AU, float64 ``(C,)``, see :func:`edgeau.metrics.fitted_thresholds`; 0.5 with too few positives.

    Raises:
        UsageError: the objective is not known.
    """
    otherwise = np.full(len(predictions.labels), FALLBACK)
    return fitted_thresholds(
        predictions.probabilities, predictions.truth == 1, otherwise, predictions.known, objective
    )


def flat_shifts(predictions: Predictions, margin: float) -> NDArray[np.float64]:
    """Lowest and highest shift of each threshold's logit at which F1 is within a margin of what it is.

    Only thresholds at the answers themselves count. F1 between the two may be lower.

    Args:
        predictions: at thresholds that were fitted on them.
        margin: of F1.

    Returns:
        float64 ``(C, 2)``: at most 0 and at least 0.
    """
    shifts = np.zeros((len(predictions.labels), 2))
    for column, threshold in enumerate(predictions.thresholds):
        known = predictions.known[:, column]
        order = np.argsort(-predictions.logits[known, column].astype(np.float64), kind="stable")
        falling = predictions.logits[known, column].astype(np.float64)[order]
        present = predictions.truth[known, column][order] == 1
        called = np.arange(1, len(falling) + 1)
        f1 = 2 * np.cumsum(present) / (called + present.sum())
        base = log_odds(float(threshold))
        now = f1[max(0, int((falling >= base).sum()) - 1)]
        ends = np.append(falling[1:] != falling[:-1], True)  # equal answers are called together
        near = falling[ends & (f1 >= now - margin)]
        if len(near):
            shifts[column] = min(0.0, near[-1] - base), max(0.0, near[0] - base)
    return shifts


def matched_thresholds(reference: Predictions, other: Predictions) -> NDArray[np.float64]:
    """Thresholds at which another model calls as many faces as a reference does at its own.

    Args:
        reference: with its thresholds.
        other: of the same faces and labels.

    Returns:
        float64 ``(C,)``, on the probability: between the last face that is called and the first one that is not.
    """
    counts = (reference.logits >= [log_odds(float(one)) for one in reference.thresholds]).sum(axis=0)
    falling = -np.sort(-other.logits.astype(np.float64), axis=0)
    # Beyond either end a threshold may lie anywhere; one logit away is far enough.
    falling = np.concatenate((falling[:1] + 2, falling, falling[-1:] - 2))
    columns = np.arange(falling.shape[1])
    logits = (falling[counts, columns] + falling[counts + 1, columns]) / 2
    return np.array([probability(one) for one in logits.tolist()])


def _ranked(predictions: Predictions) -> list[RankedScores]:
    columns = zip(predictions.logits.T, (predictions.truth == 1).T, predictions.known.T, strict=True)
    return [RankedScores(scores, present, known) for scores, present, known in columns]


def emotionet_score(predictions: Predictions) -> float:
    """(mean accuracy over AUs + mean F1 over AUs) / 2, 0..1; an F1 without any positive counts as 0."""
    counts = count(predictions)
    return (macro_mean(counts.accuracy) + macro_mean(counts.f1)) / 2


def abaw_score(predictions: Predictions) -> float:
    """Mean F1 over AUs, 0..1; an F1 without any positive counts as 0."""
    return macro_mean(count(predictions).f1)
