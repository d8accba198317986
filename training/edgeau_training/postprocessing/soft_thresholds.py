"""One threshold per AU from several folds, as SIAT-NTU decides on EmotioNet.

Each fold's threshold is fitted on its held-out part, and the folds' thresholds are averaged for the test. A fold in which an
AU has fewer than 5 positives does not take part (ours); where none does, the threshold is .5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError, UsageError
from edgeau.metrics import EDGE, MINIMUM_POSITIVES, OBJECTIVES, best_threshold
from edgeau_training.evaluation.metrics import FALLBACK
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["RULES", "break_even_threshold", "soft_thresholds"]

RULES = (*OBJECTIVES, "break-even")


def soft_thresholds(held_out: Sequence[Predictions], rule: str = "accuracy-f1") -> NDArray[np.float64]:
    """Thresholds on the probability, float64 ``(C,)``, clipped to 1e-6..1 - 1e-6 as all fitted ones are.

    Args:
        held_out: predictions of each fold's model on the part that it was not trained on.
        rule: what each threshold maximises, or ``break-even`` between precision and recall.

    Raises:
        InputError: there is no fold, or folds differ in their labels.
        UsageError: the rule is not known.
    """
    if rule not in RULES:
        raise UsageError(f"threshold rule {rule!r} is not known; known: {', '.join(RULES)}")
    if len({fold.labels for fold in held_out}) != 1:
        raise InputError("thresholds need predictions of one fold or more, all for the same labels")
    fitted = [_average(held_out, column, rule) for column in range(len(held_out[0].labels))]
    return np.clip(np.array(fitted, np.float64), EDGE, 1 - EDGE)


def break_even_threshold(probabilities: NDArray[np.floating[Any]], truth: NDArray[np.integer[Any]]) -> float:
    """The probability at which precision and recall differ least; of several the highest.

    Candidates without a true positive are left out: both are 0 there, which is not a balance.

    Args:
        probabilities: ``(n,)``, labelled entries only.
        truth: ``(n,)``, 1 or 0, at least one 1.
    """
    order = np.argsort(-probabilities, kind="stable")
    scores, hits = np.asarray(probabilities, np.float64)[order], truth[order].astype(np.float64)
    last = np.append(scores[1:] != scores[:-1], True)
    found, chosen = np.cumsum(hits)[last], np.flatnonzero(last) + 1
    gap = np.where(found > 0, np.abs(found / chosen - found / hits.sum()), np.inf)
    return float(scores[last][int(np.argmin(gap))])


def _average(folds: Sequence[Predictions], column: int, rule: str) -> float:
    fitted = []
    for fold in folds:
        known = fold.known[:, column]
        truth, probabilities = fold.truth[known, column], fold.probabilities[known, column]
        if truth.sum() < MINIMUM_POSITIVES:
            continue
        if rule == "break-even":
            fitted.append(break_even_threshold(probabilities, truth))
        else:
            fitted.append(best_threshold(probabilities, truth, rule)[0])
    return float(np.mean(fitted)) if fitted else FALLBACK
