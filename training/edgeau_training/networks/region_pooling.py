"""Region pooling of MRP-Net: one value per channel from a grid of overlapping regions of a 7x7 map.

MRP-R, step 3 and 4 of each group (a reconstruction; the published module is not known): average over an s x s grid of
regions, then one learned weight per channel and region.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MAP_SIZE", "RegionPooling", "fit_map"]

MAP_SIZE = 7

# Grid side -> (kernel, stride) of a plain average pool with the very cells of an adaptive pool on 7x7. The plain form is
# used because the adaptive one does not export to ONNX for sides that do not divide 7.
_CELLS = {1: (7, 7), 2: (4, 3), 3: (3, 2), 7: (1, 1)}


class RegionPooling(nn.Module):
    """Average over a grid of regions, then weigh the regions: ``(N, C, 7, 7)`` -> ``(N, C)``.

    Args:
        channels: number of maps C.
        grid: regions per side: 1, 2, 3 or 7. Regions are 7, 4, 3, 1 cells wide, 224, 128, 96, 32 input pixels.
    """

    def __init__(self, channels: int, grid: int) -> None:
        super().__init__()
        kernel, stride = _CELLS[grid]
        self.pool = nn.AvgPool2d(kernel, stride) if kernel > 1 else nn.Identity()
        self.weigh = nn.Conv2d(channels, channels, grid, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """One value per channel, ``(N, C)``."""
        return functional.relu(self.norm(self.weigh(self.pool(maps)))).flatten(1)


def fit_map(maps: Tensor, field: int = MAP_SIZE) -> Tensor:
    """Brings a map of any size to 7x7, so that low-resolution training meets the same regions as the deployed network.

    Ours; a 7x7 map passes through untouched, and the exported graph holds nothing of this.

    Args:
        maps: ``(N, C, H, W)``.
        field: how many of the 7 cells the input saw. A picture of the central 160 of 224 pixels saw the central 5: the map
            is resized to 5x5 bilinearly and its border repeated outwards.
    """
    if maps.shape[-2:] == (MAP_SIZE, MAP_SIZE):
        return maps
    if maps.shape[-2:] != (field, field):
        maps = functional.interpolate(maps, size=(field, field), mode="bilinear", align_corners=False)
    ring = (MAP_SIZE - field) // 2
    return functional.pad(maps, (ring,) * 4, mode="replicate") if ring else maps
