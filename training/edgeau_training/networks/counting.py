"""Parameters and multiply-accumulates of the zoo's networks, without memory for their weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from edgeau_training.networks import build_network

__all__ = ["mac_count", "parameter_count", "skeleton"]


def skeleton(name: str, labels: Sequence[str], **options: Any) -> nn.Module:
    """A network of the zoo without storage: shapes and counts are real, weights are not. In evaluation mode."""
    with torch.device("meta"):
        return build_network(name, labels, **options).eval()


def parameter_count(network: nn.Module) -> int:
    """Scalars in weights: batch norm's scale and shift and PReLU slopes count, its running statistics do not."""
    return sum(parameter.numel() for parameter in network.parameters())


def mac_count(network: nn.Module, size: int) -> int:
    """Multiply-accumulates of convolutions and matrix products for one picture of ``size`` pixels a side.

    AU papers that say "FLOPs" mostly mean these.

    Args:
        network: from :func:`skeleton`, or a real one.
        size: input side, pixels.
    """
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter:
        # With gradients on, torch takes no fused transformer kernel, which the counter cannot see into.
        network(torch.empty(1, 3, size, size, device=device))
    return int(counter.get_total_flops()) // 2
