"""Losses for multi-label AU occurrence: names map to builders, a family in a file.

A loss is called as ``loss(logits, occurrence, mask)``, all float ``(N, C)``, and gives a scalar; it works from logits, and
entries with mask 0 neither count nor get a gradient. Before use, ``loss.fit(positives, negatives)`` tells it the counts
of the training split, int ``(C,)`` each.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from torch import Tensor

from edgeau_training.by_name import build_by_name

__all__ = ["LOSSES", "OccurrenceLoss", "build_loss"]

# name -> "module:class"
LOSSES: dict[str, str] = {
    "bbl": "edgeau_training.losses.bbl:BatchBalancedLoss",
    "circle": "edgeau_training.losses.cross_entropy:CircleLoss",
    "cross-entropy": "edgeau_training.losses.cross_entropy:CrossEntropy",
    "cross-entropy-dice": "edgeau_training.losses.cross_entropy:CrossEntropyDice",
    "drml": "edgeau_training.losses.cross_entropy:ThreeValuedLoss",
    "focal": "edgeau_training.losses.focal:FocalLoss",
    "mean-cross-entropy": "edgeau_training.losses.cross_entropy:MeanCrossEntropy",
    "selective": "edgeau_training.losses.selective:SelectiveLoss",
}


class OccurrenceLoss(Protocol):
    """Interface of every loss to the trainer."""

    def fit(self, positives: Tensor, negatives: Tensor) -> None:
        """Takes the training split's counts of valid positives and negatives, ``(C,)`` each."""

    def __call__(self, logits: Tensor, occurrence: Tensor, mask: Tensor) -> Tensor:
        """The scalar loss; all arguments ``(N, C)``."""


def build_loss(name: str, **options: Any) -> OccurrenceLoss:
    """A loss by name.

    Raises:
        UsageError: the name is not known, or an option does not fit.
    """
    return cast("OccurrenceLoss", build_by_name("loss", LOSSES, name, **options))
