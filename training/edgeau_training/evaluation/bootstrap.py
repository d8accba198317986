"""Percentile bootstrap intervals, resampling persons where they are known and faces where they are not.

Faces of one person are not independent; an interval that resamples faces would be too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_training.evaluation.metrics import Counts, macro
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["Intervals", "intervals"]


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


def intervals(
    predictions: Predictions, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Intervals:
    """Bootstrap intervals of F1, AUC and accuracy.

    Args:
        predictions: of one model.
        resamples: bootstrap draws.
        confidence: coverage, 0..1.
        seed: of the draws; the same seed gives the same intervals.
    """
    weights = list(_draw(predictions, resamples, seed))
    counts = _counts(predictions, weights)
    present = (predictions.truth == 1).any(axis=0)
    f1 = np.where(present, counts.f1, np.nan)
    rankings = _rankings(predictions)
    auc = np.array([[rank.auc(weight) if rank else np.nan for rank in rankings] for weight in weights])
    ends = (50 * (1 - confidence), 50 * (1 + confidence))
    per_au = [_percentiles(values, ends) for values in (f1, auc, counts.accuracy)]
    means = [
        _percentiles(np.array([[macro(row)] for row in values]), ends)[0]
        for values in (f1, auc, counts.accuracy)
    ]
    unit = "faces" if predictions.groups is None else "persons"
    return Intervals(confidence, resamples, unit, *per_au, *means)


def _draw(predictions: Predictions, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each face is in each resample, int64 ``(N,)``."""
    generator = np.random.default_rng(seed)
    faces = len(predictions.logits)
    groups = np.arange(faces) if predictions.groups is None else predictions.groups
    _, member = np.unique(groups, return_inverse=True)
    persons = int(member.max()) + 1
    for _ in range(resamples):
        times = np.bincount(generator.integers(persons, size=persons), minlength=persons)
        yield times[member]


def _counts(predictions: Predictions, weights: list[NDArray[np.int64]]) -> Counts:
    decided, known, present = predictions.decisions, predictions.known, predictions.truth == 1
    cells = (decided & present, decided & ~present, ~decided & present, ~decided & ~present)
    # float64 because integer matrix products have no fast path; the counts stay exact far below 2**53.
    stacked = np.stack(weights).astype(np.float64)
    return Counts(*((stacked @ (cell & known)).astype(np.int64) for cell in cells))


@dataclass(frozen=True)
class _Ranking:
    """One AU's judged faces sorted by score: who they are, where runs of equal scores start, which are present."""

    order: NDArray[np.int64]
    runs: NDArray[np.int64]
    present: NDArray[np.bool_]

    def auc(self, weights: NDArray[np.int64]) -> float:
        """AUC when face i counts ``weights[i]`` times; NaN where a class is absent."""
        drawn = weights[self.order]
        positives = np.add.reduceat(np.where(self.present, drawn, 0), self.runs)
        negatives = np.add.reduceat(np.where(self.present, 0, drawn), self.runs)
        pairs = int(positives.sum()) * int(negatives.sum())
        below = np.cumsum(negatives) - negatives
        return float((positives * (below + negatives / 2)).sum() / pairs) if pairs else float("nan")


def _rankings(predictions: Predictions) -> list[_Ranking | None]:
    """Per AU, sorted once for all resamples; None where nothing was judged."""
    return [_ranking(predictions, column) for column in range(len(predictions.labels))]


def _ranking(predictions: Predictions, column: int) -> _Ranking | None:
    judged = np.flatnonzero(predictions.known[:, column])
    if not judged.size:
        return None
    scores = predictions.logits[judged, column]
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    return _Ranking(judged[order], starts, predictions.truth[judged[order], column] == 1)


def _percentiles(values: NDArray[np.float64], ends: tuple[float, float]) -> NDArray[np.float64]:
    """``(C, 2)`` from ``(B, C)``; NaN where an AU had no value in any resample."""
    result = np.full((values.shape[1], 2), np.nan)
    for column, drawn in enumerate(values.T):
        finite = drawn[np.isfinite(drawn)]
        if finite.size:
            result[column] = np.percentile(finite, ends)
    return result
