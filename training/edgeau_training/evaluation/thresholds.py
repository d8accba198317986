"""Decision thresholds fitted on held-out predictions: never on the split that the figures are printed for.

Candidates are the distinct predicted probabilities; a face is positive where probability >= threshold. Of several maxima
the highest threshold is kept, as the released search of the SIAT-NTU EmotioNet system does by scanning from the top.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["FALLBACK", "MINIMUM_POSITIVES", "OBJECTIVES", "best_threshold", "fit_thresholds"]

FALLBACK = 0.5
MINIMUM_POSITIVES = 5  # with fewer, the best threshold is an accident

_Cumulative = NDArray[np.float64]


def _f1(tp: _Cumulative, fp: _Cumulative, positives: int, _total: int) -> _Cumulative:
    return 2 * tp / (tp + fp + positives)


def _mean_of_accuracy_and_f1(tp: _Cumulative, fp: _Cumulative, positives: int, total: int) -> _Cumulative:
    accuracy = (total - positives - fp + tp) / total
    return (accuracy + _f1(tp, fp, positives, total)) / 2


def _roc(tp: _Cumulative, fp: _Cumulative, positives: int, total: int) -> _Cumulative:
    return tp / max(positives, 1) - fp / max(total - positives, 1)


OBJECTIVES: dict[str, Callable[[_Cumulative, _Cumulative, int, int], _Cumulative]] = {
    "f1": _f1,
    "accuracy-f1": _mean_of_accuracy_and_f1,  # EmotioNet's score
    "roc": _roc,  # the point of the ROC curve farthest above chance (Youden, Cancer 3(1), 1950)
}


def best_threshold(
    probabilities: NDArray[np.floating[Any]], truth: NDArray[np.integer[Any]], objective: str = "f1"
) -> tuple[float, float]:
    """The threshold of one AU and the objective's value there, in O(n log n).

    Args:
        probabilities: ``(n,)``, judged entries only.
        truth: ``(n,)``, 1 or 0.
        objective: a key of :data:`OBJECTIVES`.

    Raises:
        UsageError: the objective is not known.
    """
    if objective not in OBJECTIVES:
        raise UsageError(f"threshold objective {objective!r} is not known; known: {', '.join(OBJECTIVES)}")
    order = np.argsort(-probabilities, kind="stable")
    scores, hits = np.asarray(probabilities, np.float64)[order], truth[order].astype(np.float64)
    # Entries with the same score are decided together: only the last of each run is a candidate.
    last = np.append(scores[1:] != scores[:-1], True)
    tp, ranks = np.cumsum(hits)[last], np.flatnonzero(last) + 1
    value = OBJECTIVES[objective](tp, ranks - tp, int(hits.sum()), len(hits))
    best = int(np.argmax(value))  # the first maximum is the highest threshold
    return float(scores[last][best]), float(value[best])


def fit_thresholds(predictions: Predictions, objective: str = "f1") -> NDArray[np.float64]:
    """One threshold per AU, float64 ``(C,)``; 0.5 where an AU has fewer than 5 positives."""
    return np.array([_fit_one(predictions, column, objective) for column in range(len(predictions.labels))])


def _fit_one(predictions: Predictions, column: int, objective: str) -> float:
    known = predictions.known[:, column]
    truth = predictions.truth[known, column]
    if truth.sum() < MINIMUM_POSITIVES:
        return FALLBACK
    return best_threshold(predictions.probabilities[known, column], truth, objective)[0]
