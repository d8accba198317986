"""USTC's loss (Yu et al., CVPR Workshops 2023): binary cross-entropy plus the multi-label circle loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["CircleLoss", "circle"]


class CircleLoss:
    """Cross-entropy plus :func:`circle` from logits, both for each image, mean over the batch.

    The cross-entropy is the mean over an image's valid AUs; an image without any counts as 0 (ours). Labels must be hard.
    """

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """Nothing: no AU is weighted."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        logits, valid = logits.float(), mask > 0
        terms = functional.binary_cross_entropy_with_logits(logits, occurrence.float(), reduction="none")
        cross_entropy = torch.where(valid, terms, 0.0).sum(1) / valid.sum(1).clamp(min=1)
        return (cross_entropy + circle(logits, occurrence, mask)).mean()


def circle(logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
    """``log(1 + sum over absent of exp(s)) + log(1 + sum over present of exp(-s))`` of each image, ``(N,)``.

    It takes logits, not probabilities, so that its natural threshold is s = 0, where the cross-entropy's is. Masked AUs are
    in neither set; an empty set gives 0.
    """
    logits = logits.float()
    present = (mask > 0) & (occurrence > 0.5)
    absent = (mask > 0) & ~present
    return _log_one_plus(logits, absent) + _log_one_plus(-logits, present)


def _log_one_plus(scores: Tensor, members: Tensor) -> Tensor:
    """``log(1 + sum of exp(score))`` over the members of each row; the 1 is a further score of 0."""
    outside = scores.masked_fill(~members, float("-inf"))
    return torch.cat([torch.zeros_like(scores[:, :1]), outside], dim=1).logsumexp(dim=1)
