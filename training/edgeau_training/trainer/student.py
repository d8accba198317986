"""What is trained: a network of the zoo with heads that only training sees.

Ours: AU intensity and standardised landmarks are regressed from the vector before the classifier and, for networks with a
deep stem, from a map in its middle, which gives the early layers a gradient that has not come through all the others. The
heads are dropped from the checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from edgeau_training.checkpoint import IMAGENET_INPUT
from edgeau_training.networks.region_pooling import MAP_SIZE

__all__ = ["Answers", "Student", "normalise", "start_residuals_at_identity"]

_CELL = 32  # input pixels a cell of the 7x7 map
_TAP_CHANNELS = 32
_TAP_SIZE = 6  # cells a side that the tapped map is averaged to


class Answers(NamedTuple):
    """``logits`` ``(N, C)``; per auxiliary head, ``intensity`` ``(heads, N, C)`` and ``points`` ``(heads, N, 2P)``."""

    logits: Tensor
    intensity: Tensor
    points: Tensor


class _Network(Protocol):
    classifier: nn.Linear

    def features(self, images: Tensor, field: int) -> Tensor: ...

    def classify(self, features: Tensor) -> Tensor: ...


class AuxiliaryHead(nn.Module):
    """Intensity and landmarks from a vector: ``(N, width)`` -> ``(N, C)`` and ``(N, 2P)``.

    The vector is normalised first: its common part would otherwise make every step of the optimiser a jump of all outputs.
    """

    def __init__(self, width: int, outputs: int, coordinates: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width, affine=False)
        self.intensity = nn.Linear(width, outputs)
        self.points = nn.Linear(width, coordinates)
        for linear in (self.intensity, self.points):
            nn.init.normal_(linear.weight, std=0.01)
            nn.init.zeros_(linear.bias)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Intensity and standardised landmarks."""
        vector = self.norm(vector)
        return self.intensity(vector), self.points(vector)


class Tap(nn.Module):
    """A few maps of the middle of the stem on a fixed grid, as a vector: ``(N, G, H, W)`` -> ``(N, 1152)``."""

    out_features = _TAP_CHANNELS * _TAP_SIZE**2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Sequential(
            nn.Conv2d(channels, _TAP_CHANNELS, 1, bias=False), nn.BatchNorm2d(_TAP_CHANNELS), nn.SiLU()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """The vector."""
        return nn.functional.adaptive_avg_pool2d(self.reduce(maps), _TAP_SIZE).flatten(1)


class Student(nn.Module):
    """A network with the auxiliary heads: normalised images ``(N, 3, H, W)`` -> :class:`Answers`.

    Args:
        network: of the zoo.
        outputs: number of AUs C.
        coordinates: number of landmark coordinates 2P.
        tap: dotted name of the network's module whose map is supervised as well, and its channels; None for none.
    """

    def __init__(
        self, network: nn.Module, outputs: int, coordinates: int, tap: tuple[str, int] | None = None
    ) -> None:
        super().__init__()
        self.network = network
        width = cast("_Network", network).classifier.in_features
        self.auxiliary = AuxiliaryHead(width, outputs, coordinates)
        self._tapped: Tensor | None = None
        if tap is not None:
            name, channels = tap
            self.tap = Tap(channels)
            self.early = AuxiliaryHead(Tap.out_features, outputs, coordinates)
            # A bound method, so that a deep copy of this student listens to its own network.
            network.get_submodule(name).register_forward_hook(self._keep)

    def forward(self, images: Tensor, field: int = MAP_SIZE * _CELL) -> Answers:
        """Args are as of :func:`normalise`'s result and the view's field in pixels."""
        network = cast("_Network", self.network)
        features = network.features(images, field // _CELL)
        answers = [self.auxiliary(features)]
        if self._tapped is not None:
            answers.append(self.early(self.tap(self._tapped)))
            self._tapped = None
        intensity, points = (torch.stack(parts) for parts in zip(*answers, strict=True))
        return Answers(network.classify(features), intensity, points)

    def logits(self, images: Tensor, field: int = MAP_SIZE * _CELL) -> Tensor:
        """Only what is deployed, ``(N, C)``; threads may share a student in evaluation mode here."""
        network = cast("_Network", self.network)
        return network.classify(network.features(images, field // _CELL))

    def _keep(self, _module: nn.Module, _inputs: tuple[Tensor, ...], maps: Tensor) -> None:
        if self.training:
            self._tapped = maps


def start_residuals_at_identity(network: nn.Module) -> None:
    """Zeroes the last normalisation's scale of each residual block of a timm EfficientNet, for training from scratch.

    At a random start the gradient grows 30-fold on its way through the 23 blocks of B1; with residual branches that begin
    at zero it passes unchanged (Goyal et al. 2017, section 5.1).
    """
    for block in network.modules():
        if getattr(block, "has_skip", False):
            last = [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)][-1]
            nn.init.zeros_(last.weight)


def normalise(images: Tensor) -> Tensor:
    """uint8 RGB ``(N, H, W, 3)`` -> float32 ``(N, 3, H, W)``, ImageNet statistics, in channels-last memory.

    Channels-last is what the CPU's convolutions read fastest: 1.4 times the speed of the default here.
    """
    mean, std = (255 * torch.tensor(IMAGENET_INPUT[key]) for key in ("mean", "std"))
    return ((images.float() - mean) / std).permute(0, 3, 1, 2)
