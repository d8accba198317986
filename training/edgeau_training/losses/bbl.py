"""Batch balanced learning (BBL), the loss of MRP-Net (ICPR 2020 talk).

Per AU c, over the valid entries of a batch of N: PB = (positives + N) / (negatives + N); over the training split:
P = positives / negatives; A = PB / P. The printed formula weighs positives by 1/A, which would all but mute rare AUs;
exchanging the two weights keeps every printed definition and balances in the right direction. That is the default, ours.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from edgeau.errors import UsageError

__all__ = ["MODES", "BatchBalancedLoss"]

# swap: positives weigh A, negatives 1/A (default). literal: as printed. target1: as printed with P = 1.
MODES = ("swap", "literal", "target1")
_WEIGHT_RANGE = (0.1, 10.0)  # ours: an AU rarer than 5 % would exceed it


class BatchBalancedLoss:
    """BBL from logits: summed over AUs, mean over the batch.

    Args:
        mode: one of :data:`MODES`.

    Raises:
        UsageError: the mode is not known.
    """

    def __init__(self, mode: str = "swap") -> None:
        if mode not in MODES:
            raise UsageError(f"bbl mode {mode!r} is not known; known modes: {', '.join(MODES)}")
        self.mode = mode
        self.ratio: Tensor | None = None

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """P of the training split, ``(C,)``, with one added to both counts so that it is finite and not 0."""
        self.ratio = (positives.float() + 1) / (negatives.float() + 1)

    def balance(self, occurrence: Tensor, mask: Tensor) -> Tensor:
        """A of a batch, ``(C,)``, clipped to 0.1..10; both arguments ``(N, C)``."""
        positives = (mask * occurrence).sum(0)
        negatives = (mask * (1 - occurrence)).sum(0)
        batch_ratio = (positives + len(mask)) / (negatives + len(mask))
        if self.mode == "target1":
            return batch_ratio.clamp(*_WEIGHT_RANGE)
        if self.ratio is None:
            raise RuntimeError("BatchBalancedLoss.fit was not called with the training split's counts")
        return (batch_ratio / self.ratio).clamp(*_WEIGHT_RANGE)

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``. A is a constant: no gradient flows through it."""
        with torch.no_grad():
            balance = self.balance(occurrence, mask)
        positive, negative = (balance, 1 / balance) if self.mode == "swap" else (1 / balance, balance)
        # -log sigmoid(z) = softplus(-z), -log(1 - sigmoid(z)) = softplus(z): finite for every finite logit.
        logits = logits.float()
        terms = positive * occurrence * functional.softplus(-logits)
        terms = terms + negative * (1 - occurrence) * functional.softplus(logits)
        return torch.where(mask > 0, terms, 0.0).sum() / len(logits)
