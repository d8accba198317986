"""Cross-entropy plus Dice, as in JAA-Net (Shao et al., ECCV 2018): a guess at the "DCE" of MRP-Net's ablation.

The talk never expands the name. This is there to be tried beside the other losses; it reproduces no published row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgeau_training.losses.cross_entropy import CrossEntropy

__all__ = ["CrossEntropyDice", "dice"]

_SMOOTHING = 1.0


class CrossEntropyDice(CrossEntropy):
    """Cross-entropy plus :func:`dice`, both summed over AUs."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        return super().__call__(logits, occurrence, mask) + dice(logits, occurrence, mask)


def dice(logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
    """``sum over AUs of 1 - (2 sum y p + 1) / (sum y^2 + sum p^2 + 1)`` over the batch's valid entries, a scalar."""
    occurrence = torch.where(mask > 0, occurrence.float(), 0.0)
    probability = torch.where(mask > 0, logits.float().sigmoid(), 0.0)
    shared = 2 * (occurrence * probability).sum(0) + _SMOOTHING
    whole = occurrence.square().sum(0) + probability.square().sum(0) + _SMOOTHING
    return (1 - shared / whole).sum()
