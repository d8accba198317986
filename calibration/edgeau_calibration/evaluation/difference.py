"""Differences between the answers of one artifact and those of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.metrics import logit

__all__ = ["Difference", "difference"]


@dataclass(frozen=True)
class Difference:
    """Difference of logits ``(n, C)`` from a reference.

    Attributes:
        max_abs: largest absolute difference of a logit; inf where one is not finite.
        mean_abs: mean absolute difference of the logits.
        flips: share of the n * C decisions that differ, 0..1.
        count: inputs compared, n.
    """

    max_abs: float
    mean_abs: float
    flips: float
    count: int


def difference(
    reference: NDArray[np.float32],
    answer: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    answered_at: NDArray[np.float32] | None = None,
) -> Difference:
    """Compare logits ``(n, C)``; a decision is ``sigmoid(logit) >= threshold``, thresholds ``(C,)`` in (0, 1).

    Args:
        reference: ``(n, C)``.
        answer: ``(n, C)``.
        thresholds: of both, or of the reference only.
        answered_at: of the answer, where they were fitted for it.
    """
    assert reference.shape == answer.shape, f"{reference.shape} against {answer.shape}"
    distance = np.abs(reference.astype(np.float64) - answer)
    if not np.isfinite(distance).all():
        # NaN compares false with every tolerance, so that a gate would let it pass.
        distance = np.full_like(distance, np.inf)
    answered_at = thresholds if answered_at is None else answered_at
    # Logits are compared: no probability then rounds to 0 or 1.
    flips = (reference >= logit(thresholds)) != (answer >= logit(answered_at))
    return Difference(float(distance.max()), float(distance.mean()), float(flips.mean()), len(reference))
