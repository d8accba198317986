"""The AlexNet of the DRML poster: Krizhevsky et al. 2012 with the AUs as outputs, on a 227 crop.

The poster gives no layers. Ours is Caffe's form (two groups in conv2, conv4 and conv5, response normalisation): the authors
worked in Caffe, 227 is its crop, and with 1000 outputs it has the 60 M parameters (60,965,224) that the poster prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.drml.fillers import check_mode, fill
from edgeau_training.networks.drml.layers import LocalResponseNorm, MeanImage

__all__ = ["SIZE", "AlexNet", "build"]

SIZE = 227  # input side, pixels
_SMALLEST = 67


class AlexNet(nn.Module):
    """``(N, 3, S, S)``, S = 227 -> logits ``(N, C)``; input and start by mode, as in DRML.

    Args:
        outputs: number of AUs C.
        mode: ``faithful`` or ``modern``.
        size: input side, pixels; smaller ones than 227 are ours, for trying things on a CPU.

    Raises:
        UsageError: the mode is not known, or the size leaves nothing to the last pooling.
    """

    def __init__(self, outputs: int, mode: str = "faithful", size: int = SIZE) -> None:
        super().__init__()
        if size < _SMALLEST:
            raise UsageError(f"size {size} is too small: AlexNet takes {_SMALLEST} pixels or more")
        self.mean_image = MeanImage(size) if check_mode(mode) == "faithful" else nn.Identity()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4),
            nn.ReLU(),
            LocalResponseNorm(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(),
            LocalResponseNorm(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
        )
        self.fc6 = nn.Linear(256 * _last_side(size) ** 2, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(4096, outputs)
        fill(self, mode)

    def features(self, images: Tensor) -> Tensor:
        """fc7 after its ReLU, ``(N, 4096)``."""
        maps = self.convolutions(self.mean_image(images))
        fc6 = self.dropout(torch.relu(self.fc6(maps.flatten(1))))
        return torch.relu(self.fc7(fc6))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(self.dropout(features)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def _last_side(size: int) -> int:
    """Side of the last pooling's map: conv1 takes 11 pixels in steps of 4, each of three poolings 3 in steps of 2."""
    side = (size - 11) // 4 + 1
    for _ in range(3):
        side = (side - 3) // 2 + 1
    return side


def build(labels: Sequence[str], mode: str = "faithful", size: int = SIZE) -> AlexNet:
    """The zoo's builder of ``drml-alexnet``; ``mode`` and ``size`` as in :class:`AlexNet`."""
    return AlexNet(len(labels), mode, size)
