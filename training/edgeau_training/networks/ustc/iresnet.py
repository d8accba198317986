"""IResNet, the backbone of face recognition in InsightFace's form.

Tensor names are InsightFace's, so that its files load (Glint360K). face.evoLVe's IR networks
(:mod:`edgeau_training.networks.siat.ir`) have one batch norm less in every unit; their weights do not fit each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.initialisation import he_normal, quieten_residuals

__all__ = ["BLOCKS_100", "CHANNELS", "IBlock", "IResNet"]

BLOCKS_100 = (3, 13, 30, 3)
CHANNELS = 512  # maps of the last stage, and width of the embedding
_WIDTHS = (64, 128, 256, 512)
_STRIDE = 16  # input pixels a cell of the last map


class IBlock(nn.Module):
    """BN -> 3x3 -> BN -> PReLU -> 3x3 (stride) -> BN, plus the shortcut: ``(N, in, H, W)`` -> ``(N, out, H / s, W / s)``.

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output.
        stride: s; 2 in the first block of a stage, whose shortcut is a 1x1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.prelu = nn.PReLU(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """The output map."""
        answer = self.prelu(self.bn2(self.conv1(self.bn1(maps))))
        return cast("Tensor", self.bn3(self.conv2(answer)) + self.downsample(maps))


class IResNet(nn.Module):
    """``(N, 3, S, S)``, RGB in -1..1 -> maps and embedding, see :meth:`maps` and :meth:`embedding`.

    Args:
        blocks: number of blocks in each of the four stages.
        size: S, pixels, a multiple of 16.

    Raises:
        UsageError: the size is not a multiple of 16, or the blocks are not four positive numbers.
    """

    def __init__(self, blocks: Sequence[int] = BLOCKS_100, size: int = 112) -> None:
        super().__init__()
        if size <= 0 or size % _STRIDE:
            raise UsageError(
                f"size {size} does not fit: an IResNet takes multiples of {_STRIDE}, such as 112"
            )
        if len(blocks) != 4 or min(blocks) < 1:
            raise UsageError(f"blocks {blocks!r} do not fit: an IResNet has four stages of one block or more")
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        self.layer1 = _stage(64, _WIDTHS[0], blocks[0])
        self.layer2 = _stage(_WIDTHS[0], _WIDTHS[1], blocks[1])
        self.layer3 = _stage(_WIDTHS[1], _WIDTHS[2], blocks[2])
        self.layer4 = _stage(_WIDTHS[2], _WIDTHS[3], blocks[3])
        self.bn2 = nn.BatchNorm2d(CHANNELS)
        self.fc = nn.Linear(CHANNELS * (size // _STRIDE) ** 2, CHANNELS)
        self.features = nn.BatchNorm1d(CHANNELS)
        he_normal(self)
        quieten_residuals([block.bn3 for block in self.modules() if isinstance(block, IBlock)])
        # InsightFace keeps this scale at 1. It counts as a parameter nevertheless.
        self.features.weight.requires_grad = False

    def maps(self, images: Tensor) -> Tensor:
        """The feature map F, ``(N, 512, S / 16, S / 16)``."""
        maps = self.prelu(self.bn1(self.conv1(images)))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return cast("Tensor", self.bn2(maps))

    def embedding(self, maps: Tensor) -> Tensor:
        """``(N, 512)`` from the feature map."""
        return cast("Tensor", self.features(self.fc(maps.flatten(1))))

    def forward(self, images: Tensor) -> Tensor:
        """The embedding of images, as in recognition."""
        return self.embedding(self.maps(images))


def _stage(in_channels: int, out_channels: int, blocks: int) -> nn.Sequential:
    first = IBlock(in_channels, out_channels, 2)
    return nn.Sequential(first, *(IBlock(out_channels, out_channels, 1) for _ in range(blocks - 1)))
