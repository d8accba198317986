"""Decisions that an artifact takes otherwise than the float network, and the worst of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.metrics import sigmoid

__all__ = ["Flip", "binomial_interval", "flipped_decisions", "worst"]

_Z = 1.959964  # of the normal distribution, two-sided 95 %


@dataclass(frozen=True)
class Flip:
    """One decision about one crop: probabilities of both networks and the thresholds they are checked against."""

    crop: int
    label: str
    before: float
    after: float
    threshold_before: float
    threshold_after: float

    @property
    def turned(self) -> bool:
        """True where the decision differs."""
        return (self.before >= self.threshold_before) != (self.after >= self.threshold_after)


def binomial_interval(found: int, count: int) -> tuple[float, float]:
    """Ends of the 95 % score interval of a share, 0..1 (Wilson, Journal of the American Statistical Association 22, 1927).

    Args:
        found: how many.
        count: of how many, at least 1.
    """
    share, z2 = found / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def flipped_decisions(
    reference: NDArray[np.float32],
    answer: NDArray[np.float32],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Mark the decisions that differ, bool ``(n, C)``; logits ``(n, C)``, thresholds ``(C,)`` on the probability."""
    return np.asarray((sigmoid(reference) >= before) != (sigmoid(answer) >= after))


def worst(
    labels: tuple[str, ...],
    reference: NDArray[np.float32],
    answer: NDArray[np.float32],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    count: int,
) -> list[Flip]:
    """Up to ``count`` decisions, flipped ones first, then by how far the probability moved; one a crop."""
    probabilities = sigmoid(reference), sigmoid(answer)
    turned = flipped_decisions(reference, answer, before, after)
    moved = np.abs(probabilities[0] - probabilities[1]) + turned
    columns = moved.argmax(axis=1)
    rows = np.argsort(-moved[np.arange(len(moved)), columns], kind="stable")[:count]
    return [
        Flip(
            crop=int(row),
            label=labels[columns[row]],
            before=float(probabilities[0][row, columns[row]]),
            after=float(probabilities[1][row, columns[row]]),
            threshold_before=float(before[columns[row]]),
            threshold_after=float(after[columns[row]]),
        )
        for row in rows
    ]
