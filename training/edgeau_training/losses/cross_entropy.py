"""Binary cross-entropy and the losses that build on it: with Dice, with three-valued labels, with the circle loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "CircleLoss",
    "CrossEntropy",
    "CrossEntropyDice",
    "MeanCrossEntropy",
    "ThreeValuedLoss",
    "circle",
    "dice",
    "occurrence_and_mask",
]


class CrossEntropy:
    """Binary cross-entropy from logits.

    Summed over AUs and averaged over the batch: BBL with A = 1.
    """

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """Nothing: no AU is weighted."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        terms = functional.binary_cross_entropy_with_logits(
            logits.float(), occurrence.float(), reduction="none"
        )
        return torch.where(mask > 0, terms, 0.0).sum() / len(logits)


class MeanCrossEntropy(CrossEntropy):
    """Binary cross-entropy from logits, the mean over an image's valid AUs, then over the batch.

    As USTC's equation (1) and SIAT-NTU's with all weights 1 are printed. An image without a valid AU counts as 0 (ours).
    """

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        valid = mask > 0
        terms = functional.binary_cross_entropy_with_logits(
            logits.float(), occurrence.float(), reduction="none"
        )
        return (torch.where(valid, terms, 0.0).sum(1) / valid.sum(1).clamp(min=1)).mean()


_SMOOTHING = 1.0


class CrossEntropyDice(CrossEntropy):
    """Cross-entropy plus :func:`dice`, both summed over AUs.

    As in JAA-Net (Shao et al., ECCV 2018): a guess at the "DCE" of MRP-Net's ablation, whose talk never expands the name. It
    is there to be tried beside the other losses; it reproduces no published row.
    """

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


class ThreeValuedLoss(CrossEntropy):
    """DRML's loss from logits; labels come as occurrence and mask, see :func:`occurrence_and_mask`.

    DRML's (Zhao, Chu & Zhang, CVPR 2016), with labels +1 present, -1 absent, 0 ignored:
    ``L = -(1/N) sum_n sum_c ([Y > 0] log sigmoid(z) + [Y < 0] log(1 - sigmoid(z)))``. Images whose labels are ignored count in
    N. With occurrence and mask in place of the code that is :class:`CrossEntropy`.
    """


def occurrence_and_mask(codes: Tensor) -> tuple[Tensor, Tensor]:
    """DRML's codes -1, 0, +1 ``(N, C)`` as occurrence and mask, float ``(N, C)`` each.

    Beware: 0 means ignored here, and absent in every other data set.
    """
    return (codes > 0).float(), (codes != 0).float()


class CircleLoss(MeanCrossEntropy):
    """:class:`MeanCrossEntropy` plus :func:`circle` from logits, both for each image, mean over the batch.

    USTC's loss (Yu et al., CVPR Workshops 2023). Labels must be hard.
    """

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The loss of a batch, a scalar; all arguments ``(N, C)``."""
        return super().__call__(logits, occurrence, mask) + circle(logits, occurrence, mask).mean()


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
