"""Focal loss (Lin et al., ICCV 2017): entries that are already right count less."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from edgeau.errors import UsageError

__all__ = ["FocalLoss"]


class FocalLoss:
    """``(1 - p_t)^gamma * -log p_t`` from logits, summed over AUs, mean over the batch.

    MRP-Net's talk names it in an ablation without values; gamma 2 and no class weighting are ours, so that focusing is all
    that differs from cross-entropy.

    Args:
        gamma: strength of the focusing; 0 is cross-entropy.

    Raises:
        UsageError: gamma is negative.
    """

    def __init__(self, gamma: float = 2.0) -> None:
        if gamma < 0:
            raise UsageError(f"gamma {gamma} does not fit: the focal loss takes 0 or more")
        self.gamma = gamma

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """Nothing: no AU is weighted."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        logits = logits.float()
        # 1 - sigmoid(z) = sigmoid(-z); its power by the logarithm, which keeps the gradient finite at 0.
        positive = (self.gamma * functional.logsigmoid(-logits)).exp() * functional.softplus(-logits)
        negative = (self.gamma * functional.logsigmoid(logits)).exp() * functional.softplus(logits)
        terms = occurrence * positive + (1 - occurrence) * negative
        return torch.where(mask > 0, terms, 0.0).sum() / len(logits)
