"""Scores to logits: logistic regression on one number, with smoothed targets.

Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods" (1999): the
targets (n+ + 1) / (n+ + 2) and 1 / (n- + 2) keep separable scores from giving infinite logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["LogisticLine", "fit_line"]


@dataclass(frozen=True)
class LogisticLine:
    """``logit = slope * score + shift``; ``loss`` is the mean negative log-likelihood it was fitted to."""

    slope: float
    shift: float
    loss: float


def fit_line(scores: NDArray[np.floating[Any]], truth: NDArray[np.integer[Any]]) -> LogisticLine:
    """The line of one AU; its slope is above 0, since a score that points the wrong way must not be turned round.

    Args:
        scores: ``(n,)``, larger means more likely present.
        truth: ``(n,)``, 1 or 0; both occur.
    """
    present = truth.astype(np.float64)
    positives, negatives = present.sum(), (1 - present).sum()
    target = np.where(present == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(np.mean(scores)), float(max(np.std(scores), 1e-9))
    standard = (np.asarray(scores, np.float64) - centre) / spread

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope = np.exp(parameters[0])
        logits = slope * standard + parameters[1]
        slip = (0.5 * (1 + np.tanh(logits / 2)) - target) / len(target)
        value = float(np.mean(np.logaddexp(0, logits) - target * logits))
        return value, np.array([slope * (slip @ standard), slip.sum()])

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=((-5, 5), (-20, 20)))
    slope = float(np.exp(found.x[0])) / spread
    return LogisticLine(slope, float(found.x[1]) - slope * centre, float(found.fun))
