"""Agreement between two views of the same faces: a network's answers should not depend on crop, light or side."""

from __future__ import annotations

from torch import Tensor

__all__ = ["disagreement"]

_SMALLEST = 1e-6  # variance below which a batch tells nothing apart


def disagreement(logits: Tensor) -> Tensor:
    """Variance within pairs over the variance between faces, summed over AUs before the division.

    The quotient does not change when all logits are scaled, so that it cannot be lowered by answering more timidly. It is the
    ratio that the intraclass correlation is made of (Shrout & Fleiss 1979, one-way random effects, two ratings).

    Args:
        logits: ``(2 N, C)``, the first views of N faces, N at least 2, and after them their second views in the same order.

    Returns:
        A scalar; 0 if the views agree.
    """
    first, second = logits.float().chunk(2)
    within = (first - second).square().mean(0).sum() / 2
    between = ((first + second) / 2).var(0).sum()
    return within / (between + _SMALLEST)
