"""Network in training: one of the zoo, with heads that only training sees where the recipe asks for them.

Ours: AU intensity and standardised landmarks are regressed from the vector before the classifier and, for networks with a
deep stem, from a map in its middle, which gives the early layers a gradient that has not come through all the others. The
heads are dropped from the checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import UsageError
from edgeau_training.networks.mrpnet import MRPNet
from edgeau_training.networks.region_pooling import MAP_SIZE

__all__ = ["Answers", "Normaliser", "Student", "start_residuals_at_identity"]

_TAP_CHANNELS = 32
_TAP_SIZE = 6  # cells a side that the tapped map is averaged to


class Answers(NamedTuple):
    """``logits`` ``(N, C)``; per auxiliary head, ``intensity`` ``(heads, N, C)`` and ``points`` ``(heads, N, 2P)``.

    The last two are None without auxiliary heads; ``points`` also where no landmarks are asked for.
    """

    logits: Tensor
    intensity: Tensor | None = None
    points: Tensor | None = None


class AuxiliaryHead(nn.Module):
    """Intensity and landmarks from a vector: ``(N, width)`` -> ``(N, C)`` and ``(N, 2P)``.

    The vector is normalised first: its common part would otherwise make every step of the optimiser a jump of all outputs.
    """

    def __init__(self, width: int, outputs: int, coordinates: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width, affine=False)
        self.intensity = nn.Linear(width, outputs)
        self.points = nn.Linear(width, coordinates) if coordinates else None
        for linear in filter(None, (self.intensity, self.points)):
            nn.init.normal_(linear.weight, std=0.01)
            nn.init.zeros_(linear.bias)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Intensity and standardised landmarks."""
        vector = self.norm(vector)
        return self.intensity(vector), vector[:, :0] if self.points is None else self.points(vector)


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
    """A network with auxiliary heads: normalised images ``(N, 3, H, W)`` -> :class:`Answers`.

    Args:
        network: name in the zoo.
        outputs: number of AUs C.
        coordinates: number of landmark coordinates 2P; None for no auxiliary heads at all.
        tap: dotted name of the network's module whose map is supervised as well, and its channels; None for none.

    Raises:
        UsageError: heads are asked for, and the network has no vector before its classifier, or no such module.
    """

    def __init__(
        self,
        network: nn.Module,
        outputs: int,
        coordinates: int | None = None,
        tap: tuple[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.auxiliary: AuxiliaryHead | None = None
        self._tapped: Tensor | None = None
        if coordinates is None:
            return
        if not hasattr(network, "features"):
            raise UsageError(
                f"{type(network).__name__} has no vector before its classifier; train it without [auxiliary]"
            )
        width = cast("nn.Linear", network.get_submodule("classifier")).in_features
        self.auxiliary = AuxiliaryHead(width, outputs, coordinates)
        if tap is not None:
            name, channels = tap
            self.tap = Tap(channels)
            self.early = AuxiliaryHead(Tap.out_features, outputs, coordinates)
            # A bound method, so that a deep copy of this student listens to its own network.
            modules = dict(network.named_modules())
            if name not in modules:
                raise UsageError(f"tap: the network has no module {name!r}; name one such as stem.blocks.4")
            modules[name].register_forward_hook(self._keep)

    def forward(self, images: Tensor, cells: int = MAP_SIZE) -> Answers:
        """The answers.

        Args:
            images: normalised.
            cells: cells of MRP-Net's 7 a side that the picture spans; other networks have one size and need no word of it.
        """
        if self.auxiliary is None:
            return Answers(self.logits(images, cells))
        features = self.features(images, cells)
        answers = [self.auxiliary(features)]
        if self._tapped is not None:
            answers.append(self.early(self.tap(self._tapped)))
            self._tapped = None
        intensity, points = (torch.stack(parts) for parts in zip(*answers, strict=True))
        logits = cast("MRPNet", self.network).classify(features)
        return Answers(logits, intensity, points if points.shape[-1] else None)

    def logits(self, images: Tensor, cells: int = MAP_SIZE) -> Tensor:
        """Only what is deployed, ``(N, C)``; threads may share a student in evaluation mode here."""
        if isinstance(self.network, MRPNet):
            return self.network.classify(self.network.features(images, cells))
        return cast("Tensor", self.network(images))

    def features(self, images: Tensor, cells: int = MAP_SIZE) -> Tensor:
        """The vector before the classifier, ``(N, D)``, of a network that has one."""
        if isinstance(self.network, MRPNet):
            return self.network.features(images, cells)
        return cast("MRPNet", self.network).features(images)

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


class Normaliser:
    """uint8 RGB ``(N, H, W, 3)`` -> float32 ``(N, 3, H, W)`` as the network takes it, in channels-last memory.

    Channels-last is what the CPU's convolutions read fastest: 1.4 times the speed of the default here.

    Args:
        spec: colour order, mean and standard deviation.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._mean, self._std = (255 * torch.tensor(values) for values in (spec.mean, spec.std))
        self._reversed = spec.color == "BGR"

    def __call__(self, images: Tensor) -> Tensor:
        """The network's input."""
        values = images.flip(-1) if self._reversed else images
        mean, std = self._mean.to(images.device), self._std.to(images.device)
        return ((values.float() - mean) / std).permute(0, 3, 1, 2)
