"""Per-AU F1, accuracy and AUC over judged entries only, and their unweighted means over AUs.

Definitions: frame F1 = 2TP / (2TP + FP + FN), 0 where the denominator is 0; accuracy = (TP + TN) / all; AUC = area under
the ROC curve with mid-rank ties, undefined where only one class is present and then left out of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from edgeau_training.evaluation.predictions import Predictions

__all__ = ["Counts", "Metrics", "auc", "count", "macro", "measure"]


@dataclass(frozen=True)
class Counts:
    """True/false positives/negatives per AU, each int64 ``(C,)`` or, resampled, ``(B, C)``."""

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tn: NDArray[np.int64]

    @property
    def f1(self) -> NDArray[np.float64]:
        """2TP / (2TP + FP + FN); 0 where there is neither a positive nor a positive decision."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn, empty=0.0)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(TP + TN) / all; NaN where nothing was judged."""
        return _ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn, empty=np.nan)


@dataclass(frozen=True)
class Metrics:
    """Measured per AU, float64 ``(C,)``; NaN where undefined.

    F1 is NaN here where an AU has no positive in the data: a 0 would blame the model for the data.
    """

    labels: tuple[str, ...]
    f1: NDArray[np.float64]
    auc: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    positives: NDArray[np.int64]
    judged: NDArray[np.int64]


def count(predictions: Predictions) -> Counts:
    """Confusion counts per AU over judged entries."""
    decided, known = predictions.decisions, predictions.known
    present = predictions.truth == 1
    cells = (decided & present, decided & ~present, ~decided & present, ~decided & ~present)
    return Counts(*((cell & known).sum(axis=0) for cell in cells))


def auc(predictions: Predictions) -> NDArray[np.float64]:
    """Area under the ROC curve per AU, float64 ``(C,)``; NaN where only one class is present."""
    return np.array([_auc(predictions, column) for column in range(len(predictions.labels))])


def measure(predictions: Predictions) -> Metrics:
    """All metrics of one model on one data set."""
    counts = count(predictions)
    positives = counts.tp + counts.fn
    judged = positives + counts.fp + counts.tn
    f1 = np.where(positives > 0, counts.f1, np.nan)
    return Metrics(predictions.labels, f1, auc(predictions), counts.accuracy, positives, judged)


def macro(values: NDArray[np.float64]) -> float:
    """Unweighted mean over the AUs that have a value; NaN when none has."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _auc(predictions: Predictions, column: int) -> float:
    known = predictions.known[:, column]
    truth = predictions.truth[known, column]
    if np.unique(truth).size < 2:
        return float("nan")
    return float(roc_auc_score(truth, predictions.logits[known, column]))


def _ratio(numerator: NDArray[np.int64], denominator: NDArray[np.int64], empty: float) -> NDArray[np.float64]:
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), empty)
