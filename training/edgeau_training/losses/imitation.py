"""Imitation of a teacher: a network's answers should order faces as those of a better model do."""

from __future__ import annotations

from torch import Tensor

__all__ = ["distance_from_teacher"]

_SMALLEST = 1e-6  # variance below which a batch tells nothing apart


def distance_from_teacher(logits: Tensor, teacher: Tensor) -> Tensor:
    """One minus Pearson's correlation over the faces of a batch, mean over AUs.

    The correlation asks for the order and the distances of faces, and not for the teacher's scale and thresholds, which labels and the
    fit of thresholds decide: the relation between instances of Huang et al., "Knowledge Distillation from A Stronger Teacher" (NeurIPS
    2022), equation 8, on logits.

    Args:
        logits: of N faces, ``(N, C)``, N at least 2.
        teacher: those of the teacher for the same faces, ``(N, C)``.

    Returns:
        A scalar, 0 (same up to scale and offset of each AU) .. 2. An AU of which the batch tells nothing apart counts as 1.
    """
    one, other = (answers.float() - answers.float().mean(0) for answers in (logits, teacher))
    spread = ((one.square().sum(0) + _SMALLEST) * (other.square().sum(0) + _SMALLEST)).sqrt()
    return 1 - ((one * other).sum(0) / spread).mean()
