"""F1 of decisions, and the thresholds that maximise it, in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["f1_scores", "fitted_thresholds"]

# With fewer, the best threshold is an accident, and the old one is kept.
_MINIMUM_POSITIVES = 5
# Kept off 0 and 1, where a probability in float32 cannot tell logits apart.
_EDGE = 1e-6


def f1_scores(decisions: NDArray[np.bool_], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """2TP / (2TP + FP + FN) per column of ``(n, C)``; NaN where a column has no positive."""
    hits = (decisions & present).sum(axis=0)
    positives = present.sum(axis=0)
    scores = 2 * hits / np.maximum(decisions.sum(axis=0) + positives, 1)
    return np.where(positives > 0, scores, np.nan)


def fitted_thresholds(
    probabilities: NDArray[np.float32], present: NDArray[np.bool_], otherwise: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Per column the threshold with the best F1; of several the highest.

    Args:
        probabilities: ``(n, C)``.
        present: ``(n, C)``.
        otherwise: ``(C,)``, kept where a column has fewer than 5 positives.
    """
    assert probabilities.shape == present.shape, f"{probabilities.shape} against {present.shape}"
    columns = zip(probabilities.T, present.T, otherwise, strict=True)
    found = [
        _best(scores, truth) if truth.sum() >= _MINIMUM_POSITIVES else float(old)
        for scores, truth, old in columns
    ]
    return np.clip(np.array(found, np.float32), _EDGE, 1 - _EDGE)


def _best(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(truth[order])
    # Faces with the same score are decided together: only the last of each run is a candidate.
    last = np.append(ranked[1:] != ranked[:-1], True)
    f1 = 2 * hits[last] / (np.flatnonzero(last) + 1 + truth.sum())
    return float(ranked[last][int(np.argmax(f1))])
