"""The IR backbone of face recognition: ResNet units with batch norm first and PReLU inside.

Form and tensor names are those of face.evoLVe, so that its pretrained files load. InsightFace's IResNet
(:mod:`edgeau_training.networks.ustc.iresnet`) has one batch norm more in every unit; their weights do not fit each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.initialisation import he_normal, quieten_residuals

__all__ = ["EMBEDDING", "UNITS", "IRBackbone", "IRUnit"]

EMBEDDING = 512
UNITS = {"ir50": (3, 4, 14, 3), "ir152": (3, 8, 36, 3)}
_WIDTHS = (64, 128, 256, 512)
_STRIDE = 16  # input pixels a cell of the last map
_PRETRAINED_MAP = 7  # the embedding of a network pretrained at 112 pixels


class IRUnit(nn.Module):
    """BN -> 3x3 -> PReLU -> 3x3 (stride) -> BN, plus the shortcut: ``(N, in, H, W)`` -> ``(N, out, H / s, W / s)``.

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output.
        stride: s, of the second convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if in_channels == out_channels:
            self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.PReLU(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """The output map."""
        return cast("Tensor", self.shortcut_layer(maps) + self.res_layer(maps))


class IRBackbone(nn.Module):
    """``(N, 3, S, S)``, RGB in -1..1 -> embedding ``(N, 512)``.

    At 224 pixels the 14x14 map is averaged to 7x7, so that an embedding layer pretrained at 112 fits.

    Args:
        units: number of units in each of the four stages.
        size: S, pixels, a multiple of 16.

    Raises:
        UsageError: the size is not a multiple of 16.
    """

    def __init__(self, units: Sequence[int], size: int = 224) -> None:
        super().__init__()
        if size <= 0 or size % _STRIDE:
            raise UsageError(
                f"size {size} does not fit: an IR network takes multiples of {_STRIDE}, such as 112 or 224"
            )
        side = size // _STRIDE
        halve = side == 2 * _PRETRAINED_MAP
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        self.body = _body(units)
        self.pool = nn.AvgPool2d(2) if halve else nn.Identity()
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(_WIDTHS[-1]),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(_WIDTHS[-1] * (_PRETRAINED_MAP if halve else side) ** 2, EMBEDDING),
            nn.BatchNorm1d(EMBEDDING),
        )
        he_normal(self)
        quieten_residuals([cast("nn.BatchNorm2d", cast("IRUnit", unit).res_layer[-1]) for unit in self.body])

    def maps(self, images: Tensor) -> Tensor:
        """The last map, ``(N, 512, S / 16, S / 16)``."""
        return cast("Tensor", self.body(self.input_layer(images)))

    def forward(self, images: Tensor) -> Tensor:
        """The embedding."""
        return cast("Tensor", self.output_layer(self.pool(self.maps(images))))


def _body(units: Sequence[int]) -> nn.Sequential:
    """The four stages in one row, as face.evoLVe numbers them; the first unit of each halves the map."""
    body: list[nn.Module] = []
    channels = _WIDTHS[0]
    for width, count in zip(_WIDTHS, units, strict=True):
        body.append(IRUnit(channels, width, 2))
        body.extend(IRUnit(width, width, 1) for _ in range(count - 1))
        channels = width
    return nn.Sequential(*body)
