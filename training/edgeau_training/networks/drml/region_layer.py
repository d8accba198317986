"""The region layer of DRML: every patch of the map has a convolution of its own.

Zhao, Chu & Zhang, "Deep Region and Multi-label Learning for Facial Action Unit Detection", CVPR 2016.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from edgeau_training.networks.drml.layers import PlainBatchNorm

__all__ = ["RegionLayer"]


class RegionLayer(nn.Module):
    """Cuts the map into a grid of patches, gives each its own BN -> ReLU -> 3x3 convolution, adds the input, ReLU.

    ``(N, C, S, S)`` -> the same shape. The convolution pads each patch with zeros, so patches do not see each other.

    Args:
        channels: maps C.
        size: S, pixels, a multiple of ``grid``.
        grid: patches per side.
        affine: learn scale and shift of the batch norm; the authors' layer has none.
    """

    def __init__(self, channels: int = 32, size: int = 160, grid: int = 8, affine: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.grid = grid
        self.patch = size // grid
        stacked = channels * grid * grid
        # The patches stand side by side as channels, patch (i, j) at block 8i + j, so that all 64 convolutions are one
        # grouped convolution: it trains fast and every engine knows it.
        self.norm = nn.BatchNorm2d(stacked) if affine else PlainBatchNorm(stacked)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(stacked, stacked, 3, padding=1, groups=grid * grid)

    def forward(self, maps: Tensor) -> Tensor:
        """The map of the same shape."""
        patches = self.conv(self.relu(self.norm(self.patches(maps))))
        return cast("Tensor", self.relu(maps + self.tile(patches)))

    # Both take their sizes from the layer, not from the tensor: the ONNX exporter must know them beforehand.

    def patches(self, maps: Tensor) -> Tensor:
        """``(N, C, S, S)`` -> ``(N, grid * grid * C, S / grid, S / grid)``, patches row by row."""
        cut = maps.reshape(-1, self.channels, self.grid, self.patch, self.grid, self.patch)
        return cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, self.norm.num_features, self.patch, self.patch)

    def tile(self, patches: Tensor) -> Tensor:
        """The inverse of :meth:`patches`."""
        size = self.grid * self.patch
        cut = patches.reshape(-1, self.grid, self.grid, self.channels, self.patch, self.patch)
        return cut.permute(0, 3, 1, 4, 2, 5).reshape(-1, self.channels, size, size)
