"""Facial graph generation (FGG): each AU hears the AUs that resemble it in this face.

Luo et al., "Learning Multi-dimensional Edge Feature-based AU Relation Graph for Facial Action Unit Recognition", IJCAI 2022
(ME-GraphAU), as used by Yu et al., CVPR Workshops 2023.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.full_precision import full_precision

__all__ = ["FacialGraph", "NodeFeatures", "adjacency", "normalise_adjacency"]


class NodeFeatures(nn.Module):
    """``(N, C, H, W)`` -> ``(N, nodes, C)``.

    The first step of ME-GraphAU's and USTC's relation learning.

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


class FacialGraph(nn.Module):
    """``(N, nodes, C)`` -> the same shape: ``ReLU(V + BN(A (V W_v + b_v) + V W_u + b_u))``.

    The batch norm runs over the nodes. No gradient flows through the adjacency A, which is float32 in mixed precision too.

    Args:
        channels: C.
        nodes: number of AUs.
        neighbours: k, edges of each node, itself included; 4 is ME-GraphAU's value for 12 AUs, 3 for 8.

    Raises:
        UsageError: k is not 1 to the number of nodes.
    """

    def __init__(self, channels: int, nodes: int, neighbours: int = 4) -> None:
        super().__init__()
        if not 1 <= neighbours <= nodes:
            raise UsageError(f"neighbours {neighbours} does not fit: with {nodes} AUs it is 1 to {nodes}")
        self.neighbours = neighbours
        self.value = nn.Linear(channels, channels)  # W_v
        self.update = nn.Linear(channels, channels)  # W_u
        self.norm = nn.BatchNorm1d(nodes)
        for layer in (self.value, self.update):
            nn.init.normal_(layer.weight, std=(2.0 / channels) ** 0.5)

    def forward(self, nodes: Tensor) -> Tensor:
        """The nodes after one round of listening."""
        with full_precision(nodes):
            edges = normalise_adjacency(adjacency(nodes.detach().float(), self.neighbours)).to(nodes.dtype)
        messages = edges @ self.value(nodes) + self.update(nodes)
        return torch.relu(nodes + self.norm(messages))


def adjacency(nodes: Tensor, neighbours: int) -> Tensor:
    """Find the nodes that each node hears: those whose dot product with it is among its ``neighbours`` largest.

    Args:
        nodes: ``(..., nodes, C)``.
        neighbours: k; ties may make more than k.

    Returns:
        0 or 1, ``(..., nodes, nodes)``, rows hear columns; it need not be symmetric.
    """
    similarity = nodes @ nodes.transpose(-1, -2)
    least = similarity.topk(neighbours, dim=-1).values[..., -1:]
    return (similarity >= least).to(similarity.dtype)


def normalise_adjacency(edges: Tensor) -> Tensor:
    """``D^-1/2 A D^-1/2`` with D the row sums; the same shape."""
    scale = edges.sum(dim=-1).rsqrt()
    return scale.unsqueeze(-1) * edges * scale.unsqueeze(-2)
