"""Local region perception (LRP): several small attention networks, of which the strongest answer counts everywhere.

Yu et al., CVPR Workshops 2023; the attention network (LANet) is that of LS-CNN, as in APViT, with its ReLU. How many there
are and how far they reduce is not published; 5 and 16 are APViT's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError

__all__ = ["LANet", "LocalRegionPerception"]


class LANet(nn.Sequential):
    """One attention map: 1x1 convolution, ReLU, 1x1 convolution: ``(N, C, H, W)`` -> ``(N, 1, H, W)``.

    Args:
        channels: C.
        reduction: r; the hidden layer has C / r maps.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__(
            nn.Conv2d(channels, channels // reduction, 1), nn.ReLU(), nn.Conv2d(channels // reduction, 1, 1)
        )


class LocalRegionPerception(nn.Module):
    """The map weighed by the sigmoid of the strongest attention: ``(N, C, H, W)`` -> the same shape.

    Args:
        channels: C.
        lanets: number of attention networks.
        reduction: r of :class:`LANet`.

    Raises:
        UsageError: there is no attention network, or ``reduction`` leaves no hidden map.
    """

    def __init__(self, channels: int, lanets: int = 5, reduction: int = 16) -> None:
        super().__init__()
        if lanets < 1 or not 1 <= reduction <= channels:
            raise UsageError(
                f"lanets {lanets} and reduction {reduction} do not fit: at least 1, and 1 to {channels}"
            )
        self.lanets = nn.ModuleList(LANet(channels, reduction) for _ in range(lanets))

    def attention(self, maps: Tensor) -> Tensor:
        """``(N, 1, H, W)``, 0..1."""
        seen = torch.cat([lanet(maps) for lanet in self.lanets], dim=1)
        return seen.amax(dim=1, keepdim=True).sigmoid()

    def forward(self, maps: Tensor) -> Tensor:
        """The weighed map."""
        return maps * self.attention(maps)
