"""A slim MRP-Net for small computers (ours): B1's stem with fewer blocks, at 144 pixels, under a narrower MRP head.

Measured on a trained MRP-Net, 5 of B1's 16 residual blocks change their map by 1 to 2 % of its norm, all of them among the
last six, which hold half of the stem's weights. Those go, and three others; what is left keeps its trained weights. At 144
pixels the map has 5x5 cells. A region of a group is then pooled and weighed by one depthwise 5x5 kernel, into which pooling and
weighing of the 7x7 head can be merged exactly (:mod:`edgeau_training.networks.slimming`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import timm
import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.integer_friendly import make_integer_friendly

__all__ = ["BLOCKS", "CELLS", "SIZE", "SlimMRPHead", "SlimMRPNet", "build"]

SIZE = 144  # input pixels a side
CELLS = 5  # of the map, a side
BLOCKS = (2, 2, 2, 4, 3, 1, 1)  # kept of B1's (2, 3, 3, 4, 4, 5, 2), the first ones of each stage
_GROUPS = 4


class SlimMRPHead(nn.Module):
    """Four groups of maps, each seen through one kernel over its whole map: ``(N, channels, 5, 5)`` -> ``(N, 4 width)``.

    Args:
        channels: maps of the stem, split in order into four groups.
        width: maps of a group after its 3x3 convolution.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        bounds = [channels * step // _GROUPS for step in range(_GROUPS + 1)]
        self.slices = list(pairwise(bounds))
        self.out_features = _GROUPS * width
        self.groups = nn.ModuleList(_group(stop - start, width) for start, stop in self.slices)
        self.regions = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, CELLS, groups=width, bias=False), nn.BatchNorm2d(width), nn.ReLU()
            )
            for _ in self.slices
        )

    def forward(self, maps: Tensor) -> Tensor:
        """The concatenated group vectors."""
        vectors = [
            region(group(maps[:, start:stop])).flatten(1)
            for (start, stop), group, region in zip(self.slices, self.groups, self.regions, strict=True)
        ]
        return torch.cat(vectors, dim=1)


class SlimMRPNet(nn.Module):
    """Normalised RGB float32 ``(N, 3, 144, 144)`` -> logits float32 ``(N, C)``.

    Args:
        outputs: number of AUs C.
        width: width of the head's groups.
        blocks: kept of each stage of B1, the first ones; with all of them and a width of 256 this is MRP-Net at 144 pixels.
        activation: activation of the stem, see :mod:`edgeau_training.networks.integer_friendly`; None leaves SiLU.
        squeeze_excite: False takes squeeze-and-excitation out of the stem.
    """

    def __init__(
        self,
        outputs: int,
        width: int = 128,
        blocks: Sequence[int] = BLOCKS,
        activation: str | None = None,
        squeeze_excite: bool = True,
    ) -> None:
        super().__init__()
        # Never pretrained here: weights come from a file that the user names.
        self.stem = timm.create_model("efficientnet_b1", pretrained=False, num_classes=0, global_pool="")
        stages = cast("nn.Sequential", self.stem.blocks)
        if len(blocks) != len(BLOCKS) or min(blocks) < 1:
            raise UsageError(f"blocks {list(blocks)} are not {len(BLOCKS)} numbers from 1 on")
        for place, kept in enumerate(blocks):
            stages[place] = cast("nn.Sequential", stages[place])[:kept]
        make_integer_friendly(self.stem, activation, squeeze_excite=squeeze_excite)
        self.head = SlimMRPHead(cast("int", self.stem.head_hidden_size), width)
        self.classifier = nn.Linear(self.head.out_features, outputs)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def features(self, images: Tensor) -> Tensor:
        """The vector before the classifier, ``(N, 4 width)``."""
        return cast("Tensor", self.head(self.stem(images)))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(features))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def build(
    labels: Sequence[str],
    width: int = 128,
    blocks: Sequence[int] = BLOCKS,
    activation: str | None = None,
    squeeze_excite: bool = True,
) -> SlimMRPNet:
    """The zoo's builder of ``mrpnet-slim``; see :class:`SlimMRPNet` for the options."""
    return SlimMRPNet(len(labels), width, blocks, activation, squeeze_excite)


def _group(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )
