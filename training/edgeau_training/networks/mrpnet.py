"""MRP-Net (reconstruction): EfficientNet-B1 and multi-scale region pooling, after the ICPR 2020 talk.

The talk states the stem (EfficientNet-B1 without pooling and classifier), four channel groups a, b, c, d and one
1024-vector. What happens inside the groups is a reconstruction that lands on the published parameter ratio; every output
that names this network must call it "MRP-Net (reconstruction)".
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
from edgeau_training.networks.region_pooling import MAP_SIZE, RegionPooling, fit_map

__all__ = ["GRIDS", "VARIANTS", "MRPHead", "MRPNet", "build"]

GRIDS = (1, 2, 3, 7)  # regions per side of the groups a, b, c, d
VARIANTS = ("R", "A", "gap")
_GROUP_CHANNELS = 256


class Group(nn.Sequential):
    """Steps 1-2 of one group: a 1x1 convolution (variant R only) and a 3x3 one: ``(N, G, 7, 7)`` -> ``(N, 256, 7, 7)``."""

    def __init__(self, channels: int, reduce: bool) -> None:
        first = (
            (nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
            if reduce
            else ()
        )
        super().__init__(
            *first,
            nn.Conv2d(channels, _GROUP_CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(_GROUP_CHANNELS),
            nn.ReLU(),
        )


class MRPHead(nn.Module):
    """The MRP module: ``(N, stem channels, 7, 7)`` -> ``(N, 1024)``.

    Args:
        channels: maps of the stem, split in order into four groups (1280 gives 0..319, 320..639, 640..959, 960..1279).
        reduce: True for variant R, False for variant A (without the 1x1 convolution).
    """

    out_features = _GROUP_CHANNELS * len(GRIDS)

    def __init__(self, channels: int, reduce: bool = True) -> None:
        super().__init__()
        bounds = [channels * step // len(GRIDS) for step in range(len(GRIDS) + 1)]
        self.slices = list(pairwise(bounds))
        self.groups = nn.ModuleList(Group(stop - start, reduce) for start, stop in self.slices)
        self.regions = nn.ModuleList(RegionPooling(_GROUP_CHANNELS, grid) for grid in GRIDS)

    def forward(self, maps: Tensor, field: int = MAP_SIZE) -> Tensor:
        """The concatenated group vectors; ``field`` as in :func:`~edgeau_training.networks.region_pooling.fit_map`."""
        vectors = [
            region(fit_map(group(maps[:, start:stop]), field))
            for (start, stop), group, region in zip(self.slices, self.groups, self.regions, strict=True)
        ]
        return torch.cat(vectors, dim=1)


class GlobalPool(nn.Module):
    """Ablation "EF": the mean over all positions, ``(N, C, H, W)`` -> ``(N, C)``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_features = channels

    def forward(self, maps: Tensor, field: int = MAP_SIZE) -> Tensor:  # noqa: ARG002  (the head's signature)
        """The mean of each map."""
        return maps.mean(dim=(2, 3))


class MRPNet(nn.Module):
    """MRP-Net (reconstruction): normalised RGB float32 ``(N, 3, 224, 224)`` -> logits float32 ``(N, C)``.

    Args:
        outputs: number of AUs C.
        mrp_variant: ``R`` (default), ``A`` (without the 1x1 convolutions) or ``gap`` (ablation: global average pool).
        stem: name of a timm backbone. Only ``efficientnet_b1`` is the published stem; others are lighter ones of ours.
        dropout: before the classifier.
        drop_path: stochastic depth of the stem's last block, rising linearly to it.
        activation: takes the place of the stem's SiLU, see :mod:`edgeau_training.networks.integer_friendly`; None leaves it.
        squeeze_excite: False takes squeeze-and-excitation out of the stem.

    Raises:
        UsageError: the variant or the activation is not known.
    """

    def __init__(
        self,
        outputs: int,
        mrp_variant: str = "R",
        stem: str = "efficientnet_b1",
        dropout: float = 0.2,
        drop_path: float = 0.2,
        activation: str | None = None,
        squeeze_excite: bool = True,
    ) -> None:
        super().__init__()
        if mrp_variant not in VARIANTS:
            raise UsageError(
                f"mrp_variant {mrp_variant!r} is not known; known variants: {', '.join(VARIANTS)}"
            )
        # Never pretrained here: weights come from a file that the user names, nothing is downloaded.
        self.stem = timm.create_model(
            stem, pretrained=False, num_classes=0, global_pool="", drop_path_rate=drop_path
        )
        make_integer_friendly(self.stem, activation, squeeze_excite=squeeze_excite)
        channels = cast("int", self.stem.head_hidden_size)
        self.head: MRPHead | GlobalPool = (
            GlobalPool(channels) if mrp_variant == "gap" else MRPHead(channels, reduce=mrp_variant == "R")
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.head.out_features, outputs)
        self._initialise()

    def _initialise(self) -> None:
        """Convolutions of the head He-normal (fan out), classifier N(0, 0.01) with bias 0; the stem is timm's."""
        for module in self.head.modules():
            if isinstance(module, nn.Conv2d):
                # fan_out of a depthwise weight counts all groups; per output it is one.
                fan_out = module.out_channels * module.weight[0, 0].numel() // module.groups
                nn.init.normal_(module.weight, std=(2.0 / fan_out) ** 0.5)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def features(self, images: Tensor, field: int = MAP_SIZE) -> Tensor:
        """The vector before the classifier, ``(N, 1024)`` (``gap``: the stem's channels).

        Args:
            images: ``(N, 3, H, W)``; other sizes than 224 are for training at low resolution.
            field: width of the picture in cells of 32 pixels at full scale; see
                :func:`~edgeau_training.networks.region_pooling.fit_map`.
        """
        return cast("Tensor", self.head(self.stem(images), field))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(self.dropout(features)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def build(
    labels: Sequence[str],
    mrp_variant: str = "R",
    stem: str = "efficientnet_b1",
    dropout: float = 0.2,
    drop_path: float = 0.2,
    activation: str | None = None,
    squeeze_excite: bool = True,
) -> MRPNet:
    """The zoo's builder of ``mrpnet``; see :class:`MRPNet` for the options."""
    return MRPNet(len(labels), mrp_variant, stem, dropout, drop_path, activation, squeeze_excite)
