"""Binary cross-entropy, summed over AUs and averaged over the batch: BBL with A = 1."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["CrossEntropy"]


class CrossEntropy:
    """Binary cross-entropy from logits."""

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """Nothing: no AU is weighted."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        terms = functional.binary_cross_entropy_with_logits(
            logits.float(), occurrence.float(), reduction="none"
        )
        return torch.where(mask > 0, terms, 0.0).sum() / len(logits)
