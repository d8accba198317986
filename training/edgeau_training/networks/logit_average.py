"""Networks of the same labels and input that answer together: the mean of their logits.

SIAT-NTU's two views (EmotioNet 2020). The paper's text averages probabilities and puts a second sigmoid on top, which
squeezes every answer into .5...73; the authors' final code averages logits, and so does this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks import build_network

__all__ = ["TWO_VIEWS", "LogitAverage", "build"]

# Face first, emotion second: the same network, pretrained on identities and on expressions.
TWO_VIEWS = ("siat-ir152", "siat-ir152")


class LogitAverage(nn.Module):
    """``(N, 3, S, S)`` -> logits ``(N, C)``. The probability is one sigmoid of that.

    Args:
        members: networks of one input and one label set. They are trained one by one.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """The mean of the members' logits."""
        return torch.stack([member(images) for member in self.members]).mean(dim=0)


def build(labels: Sequence[str], members: Sequence[str] = TWO_VIEWS, **options: Any) -> LogitAverage:
    """The zoo's builder of ``siat-two-view``.

    Args:
        labels: AU labels.
        members: names of the zoo; more than two make a larger ensemble.
        options: given to every member, e.g. ``size=112``.

    Raises:
        UsageError: there is no member, or one does not fit.
    """
    if not members:
        raise UsageError(
            "an ensemble needs at least one member, such as members=('siat-ir152', 'siat-ir152')"
        )
    return LogitAverage([build_network(member, labels, **options) for member in members])
