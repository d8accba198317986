"""Selective learning (Hand, Castillo & Chellappa, AAAI 2018): every AU of every batch is brought to a target distribution.

Used by SIAT-NTU (CVPR Workshops 2020), whose text allows three readings.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from edgeau.errors import UsageError

__all__ = ["READINGS", "SelectiveLoss"]

# A: the cited algorithm (default): a random part of the over-represented side counts, the other side weighs more.
# B: nothing is left out, the rarer side weighs more. C: what the authors' code does: only negatives are left out.
READINGS = ("A", "B", "C")
_LARGEST_WEIGHT = 10.0
_SLACK = 1e-4  # a share times a count may land a rounding error above the whole number that it is


class SelectiveLoss:
    """Weighted cross-entropy from logits, mean over AUs and batch.

    What is left out is drawn anew in every call, from torch's global random numbers.

    Args:
        reading: one of :data:`READINGS`.
        target: share of positives that reading A brings an AU to, between 0 and 1.
        share_sum: reading C gives each AU its part of all positives in the training split as target; the parts sum to this
            (0.1 in the authors' final code).

    Raises:
        UsageError: the reading is not known, or a share is outside its range.
    """

    def __init__(self, reading: str = "A", target: float = 0.5, share_sum: float = 0.1) -> None:
        if reading not in READINGS:
            raise UsageError(f"reading {reading!r} is not known; known readings: {', '.join(READINGS)}")
        if not (0 < target < 1 and 0 < share_sum <= 1):
            raise UsageError(
                f"target {target} and share_sum {share_sum} do not fit: they lie between 0 and 1"
            )
        self.reading = reading
        self.target = target
        self.share_sum = share_sum
        self.shares: Tensor | None = None

    def fit(self, positives: Tensor, negatives: Tensor) -> None:  # noqa: ARG002  (what a loss is given)
        """The training split's counts, ``(C,)`` each; only reading C uses them."""
        self.shares = self.share_sum * positives.float() / positives.sum().clamp(min=1)

    def weights(self, occurrence: Tensor, mask: Tensor) -> Tensor:
        """Weight of every entry, ``(N, C)``; 0 where masked or left out."""
        positive = (mask > 0) & (occurrence > 0.5)
        negative = (mask > 0) & ~positive
        if self.reading == "A":
            return _hand(positive, negative, self.target)
        if self.reading == "B":
            return _balanced(positive, negative)
        if self.shares is None:
            raise RuntimeError("SelectiveLoss.fit was not called with the training split's counts")
        return _negatives_left_out(positive, negative, self.shares.to(occurrence.device))

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``. No gradient flows through the weights."""
        weights = self.weights(occurrence, mask)
        terms = functional.binary_cross_entropy_with_logits(
            logits.float(), occurrence.float(), reduction="none"
        )
        return torch.where(weights > 0, weights * terms, 0.0).sum() / logits.numel()


def _hand(positive: Tensor, negative: Tensor, target: float) -> Tensor:
    positives, negatives = positive.sum(0), negative.sum(0)
    count = positives + negatives
    wanted_positives, wanted_negatives = target * count, (1 - target) * count
    over, under = positives > wanted_positives + _SLACK, positives < wanted_positives - _SLACK
    kept_positives = torch.where(over, _whole(wanted_positives), positives)
    kept_negatives = torch.where(under, _whole(wanted_negatives), negatives)
    weight_positives = torch.where(under, _ratio(wanted_positives, positives), 1.0)
    weight_negatives = torch.where(over, _ratio(wanted_negatives, negatives), 1.0)
    return weight_positives * _some(positive, kept_positives) + weight_negatives * _some(
        negative, kept_negatives
    )


def _balanced(positive: Tensor, negative: Tensor) -> Tensor:
    positives, negatives = positive.sum(0), negative.sum(0)
    weight_positives = _ratio(negatives, positives).clamp(min=1)
    weight_negatives = _ratio(positives, negatives).clamp(min=1)
    return weight_positives * positive + weight_negatives * negative


def _negatives_left_out(positive: Tensor, negative: Tensor, shares: Tensor) -> Tensor:
    positives, negatives = positive.sum(0), negative.sum(0)
    wanted = shares * (positives + negatives)
    kept = torch.where(positives < wanted, _whole(wanted), negatives)
    return positive + _some(negative, kept)


def _some(members: Tensor, count: Tensor) -> Tensor:
    """A random ``count`` of each column's members, 1 where chosen: ``(N, C)``."""
    draw = torch.rand(members.shape, device=members.device).masked_fill(~members, 2.0)
    rank = draw.argsort(dim=0).argsort(dim=0)
    return (members & (rank < count)).float()


def _whole(wanted: Tensor) -> Tensor:
    return (wanted - _SLACK).ceil()


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    return (numerator / denominator.clamp(min=1)).clamp(max=_LARGEST_WEIGHT)
