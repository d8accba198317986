"""Feature fusion (FF): how the logits of the AU branch and those of the backbone become one.

Yu et al., CVPR Workshops 2023. Both give the share of the AU branch, w, in 0..1; the logits are
``w * AU + (1 - w) * backbone``: convex, so that it cannot blow logits up (ours; the paper does not state the squashing).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.ustc.encoder_layer import EncoderLayer

__all__ = ["AttentionShare", "FixedShare"]


class FixedShare(nn.Module):
    """A constant share. The paper's value is not published; half is ours.

    Args:
        share: w, 0..1.

    Raises:
        UsageError: the share is outside 0..1.
    """

    def __init__(self, share: float = 0.5) -> None:
        super().__init__()
        if not 0 <= share <= 1:
            raise UsageError(f"share {share} does not fit: the AU branch's share is 0 to 1")
        self.share = share

    def forward(self, token: Tensor, nodes: Tensor) -> Tensor | float:  # noqa: ARG002  (what a fusion is given)
        """The share."""
        return self.share


class AttentionShare(nn.Module):
    """A share for each face: a learned token attends to the backbone's token and to the AUs, 14 tokens with 12 AUs.

    Two encoder layers are stated; width, 8 heads, feed-forward width 2048, post-norm, ReLU, dropout 0.1 and no positional
    embedding are ours.

    Args:
        channels: width of the tokens.
        weights: 1 for one share a face (default), or the number of AUs for a share of each.
    """

    def __init__(self, channels: int = 512, weights: int = 1) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(1, 1, channels))
        self.encoder = nn.Sequential(*(EncoderLayer(channels) for _ in range(2)))
        self.weigh = nn.Linear(channels, weights)
        nn.init.normal_(self.token, std=0.02)

    def tokens(self, token: Tensor, nodes: Tensor) -> Tensor:
        """``(N, 2 + nodes, C)``: the learned token, the backbone's, then the AUs'."""
        return torch.cat([self.token.expand(token.shape[0], -1, -1), token.unsqueeze(1), nodes], dim=1)

    def forward(self, token: Tensor, nodes: Tensor) -> Tensor:
        """The share, ``(N, weights)``.

        Args:
            token: token of the backbone, ``(N, C)``.
            nodes: nodes of the AUs, ``(N, nodes, C)``.
        """
        answers = self.encoder(self.tokens(token, nodes))
        return cast("Tensor", self.weigh(answers[:, 0]).sigmoid())
