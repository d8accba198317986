"""Agreement between two views of the same faces: a network's answers should not depend on crop, light or side."""

from __future__ import annotations

from torch import Tensor

__all__ = ["disagreement"]

_SMALLEST = 1e-6  # variance below which a batch tells nothing apart


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Variance within pairs over the variance between faces, summed over AUs before the division.

    The quotient does not change when all logits are scaled, so that it cannot be lowered by answering more timidly. It is the
    ratio that the intraclass correlation is made of (Shrout & Fleiss 1979, one-way random effects, two ratings).

    Args:
        first: logits of N faces in one view, ``(N, C)``, N at least 2.
        second: those of the same faces in the other view; a column asks the same of a face as the first view's, so that for a
            mirrored picture the sides have changed places.

    Returns:
        A scalar; 0 if the views agree.
    """
    first, second = first.float(), second.float()
    within = (first - second).square().mean(0).sum() / 2
    between = ((first + second) / 2).var(0).sum()
    return within / (between + _SMALLEST)
