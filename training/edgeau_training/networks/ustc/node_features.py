"""One feature vector for each AU, from the whole map (the first step of ME-GraphAU's and USTC's relation learning)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

__all__ = ["NodeFeatures"]


class NodeFeatures(nn.Module):
    """``(N, C, H, W)`` -> ``(N, nodes, C)``.

    For every node: a linear layer at each position, batch norm, ReLU, mean over the positions. All nodes together are one
    1x1 convolution: the same weights, one call.

    Args:
        channels: C.
        nodes: number of AUs.
    """

    def __init__(self, channels: int, nodes: int) -> None:
        super().__init__()
        self.nodes = nodes
        self.channels = channels
        self.linear = nn.Conv2d(channels, nodes * channels, 1)
        self.norm = nn.BatchNorm2d(nodes * channels)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """The vectors, in AU order."""
        answers = self.relu(self.norm(self.linear(maps)))
        return cast("Tensor", answers.mean(dim=(2, 3)).reshape(-1, self.nodes, self.channels))
