"""Decisions and how good they are, in numpy: one definition for the device, calibration, export and training.

Everything here speaks of n faces and C labels (action units). Entries that nobody labelled are left out through ``known``.

- Decision: ``sigmoid(logit) >= threshold``, so that a probability equal to its threshold is positive.
- F1 = 2TP / (2TP + FP + FN). A label without a positive in the data has no F1 (NaN): a 0 would blame the network for the
  data.
- AUC: area under the ROC curve, a tie counts one half (Mann-Whitney U); NaN where only one class is present.
- Intervals: percentile bootstrap (Efron, Annals of Statistics 7(1), 1979) over persons, or over faces where persons are not
  known. Faces of one person are not independent; resampling faces would make intervals too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError

__all__ = [
    "EDGE",
    "MINIMUM_POSITIVES",
    "OBJECTIVES",
    "ConfusionCounts",
    "RankedScores",
    "best_threshold",
    "bootstrap_weights",
    "confusion_counts",
    "f1_at_fitted_thresholds",
    "f1_scores",
    "fitted_thresholds",
    "logit",
    "macro_mean",
    "percentile_interval",
    "probability",
    "sigmoid",
]

# With fewer, the best threshold is an accident.
MINIMUM_POSITIVES = 5
# Thresholds are kept this far off 0 and 1, where a probability in float32 cannot tell logits apart.
EDGE = 1e-6


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (1 + exp(-logits))``, float32, without overflow for any finite logit."""
    # 0.5 * (1 + tanh(x / 2)) is the same function, and tanh saturates where exp overflows.
    half = np.asarray(logits, np.float32) * np.float32(0.5)
    probabilities: NDArray[np.float32] = np.tanh(half) * np.float32(0.5) + np.float32(0.5)
    return probabilities


def probability(logit: float) -> float:
    """:func:`sigmoid` of one logit."""
    return 0.5 + 0.5 * math.tanh(0.5 * logit)


def log_odds(probability: float) -> float:
    """:func:`logit` of one probability in (0, 1)."""
    return math.log(probability) - math.log1p(-probability)


def logit(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The inverse of :func:`sigmoid`, float32, for probabilities in (0, 1)."""
    return np.asarray(np.log(probabilities) - np.log1p(-probabilities), np.float32)


@dataclass(frozen=True)
class ConfusionCounts:
    """True/false positives/negatives per label, each int64 ``(C,)`` or, resampled, ``(B, C)``."""

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
        """(TP + TN) / all; NaN where nothing is labelled."""
        return _ratio(self.tp + self.tn, self.tp + self.fp + self.fn + self.tn, empty=np.nan)


def confusion_counts(
    decisions: NDArray[np.bool_],
    present: NDArray[np.bool_],
    known: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> ConfusionCounts:
    """Confusion counts per label.

    Args:
        decisions: ``(n, C)``.
        present: ``(n, C)``, the truth.
        known: ``(n, C)``, where the truth is known; None means everywhere.
        weights: ``(B, n)``, how often each face is in each of B resamples, whole numbers; None counts every face once.
    """
    assert decisions.shape == present.shape, f"{decisions.shape} against {present.shape}"
    cells = (decisions & present, decisions & ~present, ~decisions & present, ~decisions & ~present)
    kept = cells if known is None else tuple(cell & known for cell in cells)
    if weights is None:
        return ConfusionCounts(*(cell.sum(axis=0) for cell in kept))
    # float64 because integer matrix products have no fast path; the counts stay exact far below 2**53.
    return ConfusionCounts(*((weights @ cell).astype(np.int64) for cell in kept))


def f1_scores(
    decisions: NDArray[np.bool_],
    present: NDArray[np.bool_],
    known: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """F1 per label, ``(C,)`` or, with weights, ``(B, C)``; NaN where the data have no positive of the label.

    Arguments are those of :func:`confusion_counts`. A resample that happens to have no positive of a label that
    occurs in the data counts 0, as :attr:`ConfusionCounts.f1` says.
    """
    occurs = (present if known is None else present & known).any(axis=0)
    return np.where(occurs, confusion_counts(decisions, present, known, weights).f1, np.nan)


def macro_mean(values: NDArray[np.float64]) -> float:
    """Unweighted mean over the labels that have a value; NaN, without a warning, where none has."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


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
    scores: NDArray[np.floating[Any]], truth: NDArray[np.generic], objective: str = "f1"
) -> tuple[float, float]:
    """The threshold of one label and the objective's value there, in O(n log n).

    Candidates are the distinct scores; a face is positive where score >= threshold. Of several maxima the highest threshold
    is kept, as the released search of the SIAT-NTU EmotioNet system does by scanning from the top.

    Args:
        scores: ``(n,)``, labelled entries only; probabilities, or any score that is larger where the label is more likely.
        truth: ``(n,)``, bool or 1 and 0.
        objective: a key of :data:`OBJECTIVES`.

    Raises:
        UsageError: the objective is not known.
    """
    if objective not in OBJECTIVES:
        raise UsageError(f"threshold objective {objective!r} is not known; known: {', '.join(OBJECTIVES)}")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = np.asarray(scores, np.float64)[order], truth[order].astype(np.float64)
    # Entries with the same score are decided together: only the last of each run is a candidate.
    last = np.append(ranked[1:] != ranked[:-1], True)
    tp, ranks = np.cumsum(hits)[last], np.flatnonzero(last) + 1
    value = OBJECTIVES[objective](tp, ranks - tp, int(hits.sum()), len(hits))
    best = int(np.argmax(value))  # the first maximum is the highest threshold
    return float(ranked[last][best]), float(value[best])


def fitted_thresholds(
    probabilities: NDArray[np.floating[Any]],
    present: NDArray[np.bool_],
    otherwise: NDArray[np.floating[Any]],
    known: NDArray[np.bool_] | None = None,
    objective: str = "f1",
) -> NDArray[np.float64]:
    """One threshold per label, float64 ``(C,)``, by :func:`best_threshold`; of the faces that figures are *not* printed for.

    The rule, everywhere: a label with fewer than :data:`MINIMUM_POSITIVES` positives takes ``otherwise``, which is the
    threshold it had (a network that is quantized) or 0.5 (one that is trained and has none yet); every threshold is clipped to
    1e-6..1 - 1e-6, so that its logit is finite and a manifest accepts it.

    Args:
        probabilities: ``(n, C)``.
        present: ``(n, C)``.
        otherwise: ``(C,)``.
        known: ``(n, C)``, where the truth is known; None means everywhere.
        objective: a key of :data:`OBJECTIVES`.

    Raises:
        UsageError: the objective is not known.
    """
    assert probabilities.shape == present.shape, f"{probabilities.shape} against {present.shape}"
    labelled = np.ones_like(present) if known is None else known
    columns = zip(probabilities.T, present.T, labelled.T, otherwise, strict=True)
    found = [
        best_threshold(scores[kept], truth[kept], objective)[0]
        if truth[kept].sum() >= MINIMUM_POSITIVES
        else float(old)
        for scores, truth, kept, old in columns
    ]
    return np.clip(np.array(found, np.float64), EDGE, 1 - EDGE)


def f1_at_fitted_thresholds(
    probabilities: NDArray[np.float32],
    present: NDArray[np.bool_],
    otherwise: NDArray[np.float32],
    known: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """:func:`fitted_thresholds`, float32 ``(C,)``, and F1 ``(C,)`` at them on the same faces: what a search compares by.

    Args:
        probabilities: ``(n, C)``.
        present: ``(n, C)``.
        otherwise: ``(C,)``, see :func:`fitted_thresholds`.
        known: ``(n, C)``, where the truth is known; None means everywhere.
    """
    thresholds = fitted_thresholds(probabilities, present, otherwise, known).astype(np.float32)
    return thresholds, f1_scores(probabilities >= thresholds, present, known)


class RankedScores:
    """One label's labelled faces sorted by score once, for its AUC and that of many resamples.

    Args:
        scores: ``(n,)``, labelled or not.
        present: bool ``(n,)``.
        known: bool ``(n,)``, where the truth is known; None means everywhere.
    """

    def __init__(
        self,
        scores: NDArray[np.floating[Any]],
        present: NDArray[np.bool_],
        known: NDArray[np.bool_] | None = None,
    ) -> None:
        labelled = np.arange(len(scores)) if known is None else np.flatnonzero(known)
        order = np.argsort(scores[labelled], kind="stable")
        self._order = labelled[order]
        self._runs = np.flatnonzero(np.append(True, np.diff(scores[self._order]) > 0)[: len(order)])
        self._present = present[self._order]

    def auc(self, weights: NDArray[np.floating[Any] | np.integer[Any]] | None = None) -> float:
        """Area under the ROC curve when face i counts ``weights[i]`` times; NaN where a class is absent.

        Args:
            weights: ``(n,)``; None counts every face once.
        """
        if not len(self._order):
            return float("nan")
        drawn = np.ones(len(self._order)) if weights is None else np.asarray(weights, float)[self._order]
        positives = np.add.reduceat(np.where(self._present, drawn, 0), self._runs)
        negatives = np.add.reduceat(np.where(self._present, 0, drawn), self._runs)
        pairs = float(positives.sum() * negatives.sum())
        below = np.cumsum(negatives) - negatives
        return float((positives * (below + negatives / 2)).sum() / pairs) if pairs else float("nan")


def bootstrap_weights(
    count: int, resamples: int = 1000, groups: NDArray[np.integer[Any]] | None = None, seed: int = 0
) -> NDArray[np.float64]:
    """Draw how often each face is in each resample, whole numbers, ``(B, n)``.

    Args:
        count: n faces.
        resamples: B draws.
        groups: ``(n,)``, faces with the same number belong to the same person and are drawn together; None draws faces.
        seed: seed of the draws; the same seed gives the same draws.
    """
    generator = np.random.default_rng(seed)
    _, member = np.unique(np.arange(count) if groups is None else groups, return_inverse=True)
    units = int(member.max()) + 1
    drawn = [
        np.bincount(generator.integers(units, size=units), minlength=units)[member] for _ in range(resamples)
    ]
    return np.array(drawn, np.float64)


def percentile_interval(values: NDArray[np.float64], confidence: float = 0.95) -> NDArray[np.float64]:
    """Lower and upper ends of a bootstrap interval per label, ``(C, 2)``, or ``(2,)`` of a single figure.

    Args:
        values: values of B resamples, ``(B, C)`` or ``(B,)``; resamples in which a label has no value (NaN) are left out.
        confidence: coverage, 0..1.

    Returns:
        NaN where a label has no value in any resample.
    """
    if values.ndim == 1:
        (single,) = percentile_interval(values[:, None], confidence)
        return np.asarray(single)
    ends = (50 * (1 - confidence), 50 * (1 + confidence))
    result = np.full((values.shape[1], 2), np.nan)
    for column, drawn in enumerate(values.T):
        finite = drawn[np.isfinite(drawn)]
        if finite.size:
            result[column] = np.percentile(finite, ends)
    return result


def _ratio(numerator: NDArray[np.int64], denominator: NDArray[np.int64], empty: float) -> NDArray[np.float64]:
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), empty)
