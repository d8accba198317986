"""DRML: eleven layers, the second of which has a convolution for every region of the face.

Zhao, Chu & Zhang, CVPR 2016; the layers are those of the authors' released prototxt. Layer names are the poster's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.drml.fillers import check_mode, fill
from edgeau_training.networks.drml.layers import LocallyConnected, LocalResponseNorm, MeanImage
from edgeau_training.networks.drml.region_layer import RegionLayer

__all__ = [
    "DRML",
    "NORMS",
    "SIZE",
    "build",
    "build_convnet",
    "build_lcn",
    "check_size",
    "shared_convolutions",
]

SIZE = 170  # input side, pixels
NORMS = ("lrn", "batch")
_LOST = 10  # pixels that conv1 takes
_STEP = 16  # 8 patches, pooled by 2
_SMALLEST = 74


class DRML(nn.Module):
    """``(N, 3, S, S)``, S = 170 -> logits ``(N, C)``. Input and start depend on the mode, see :mod:`.fillers`.

    The poster's ConvNet and LCN are this network with another second layer or other upper convolutions.

    Args:
        outputs: number of AUs C.
        second: layer 2, ``(N, 32, 160, 160)`` -> the same shape, its ReLU included.
        upper: layers 5-8, ``(N, 32, 80, 80)`` -> ``(N, 16, 27, 27)``.
        mode: ``faithful`` or ``modern``.
        norm: layer 4: ``lrn`` as released, or ``batch`` as in a public re-implementation.
        size: input side, pixels; smaller ones than 170 are ours, for trying things on a CPU.

    Raises:
        UsageError: mode or norm is not known, or the size does not fit.
    """

    def __init__(
        self,
        outputs: int,
        second: nn.Module,
        upper: nn.Module,
        mode: str = "faithful",
        norm: str = "lrn",
        size: int = SIZE,
    ) -> None:
        super().__init__()
        check_size(size)
        if norm not in NORMS:
            raise UsageError(f"norm {norm!r} is not known; known norms of DRML: {', '.join(NORMS)}")
        faithful = check_mode(mode) == "faithful"
        self.mean_image = MeanImage(size) if faithful else nn.Identity()
        self.conv1 = nn.Conv2d(3, 32, 11)
        self.second = second
        self.pool3 = nn.MaxPool2d(2)
        self.norm = LocalResponseNorm() if norm == "lrn" else nn.BatchNorm2d(32)
        self.upper = upper
        self.fc8 = nn.Linear(16 * _last_side(size) ** 2, 4096)
        self.fc9 = nn.Linear(4096, 2048)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(2048, outputs)
        fill(self, mode)

    def features(self, images: Tensor) -> Tensor:
        """fc9 after its ReLU, ``(N, 2048)``: what the poster gives to a support vector machine."""
        maps = self.norm(self.pool3(self.second(self.conv1(self.mean_image(images)))))
        fc8 = self.dropout(torch.relu(self.fc8(self.upper(maps).flatten(1))))
        return torch.relu(self.fc9(fc8))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(self.dropout(features)))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def check_size(size: int) -> int:
    """The size itself.

    Raises:
        UsageError: conv1's map cannot be cut into 8 x 8 patches of even side, or is too small for the upper layers.
    """
    if size < _SMALLEST or (size - _LOST) % _STEP:
        raise UsageError(
            f"size {size} does not fit: DRML takes {_SMALLEST} and every {_STEP} pixels more, such as 90 or {SIZE}"
        )
    return size


def _last_side(size: int) -> int:
    """Side of conv7's map: pool3 halves conv1's, conv4 and conv5 take 7 each, conv6 halves what 6 leave, conv7 takes 4."""
    return ((size - _LOST) // 2 - 14 - 6) // 2 + 1 - 4


def shared_convolutions() -> nn.Sequential:
    """conv4 to conv7, each with its ReLU: ``(N, 32, 80, 80)`` -> ``(N, 16, 27, 27)``."""
    return nn.Sequential(
        nn.Conv2d(32, 16, 8),
        nn.ReLU(),
        nn.Conv2d(16, 16, 8),
        nn.ReLU(),
        nn.Conv2d(16, 16, 6, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 16, 5),
        nn.ReLU(),
    )


def build(
    labels: Sequence[str], mode: str = "faithful", affine: bool = False, norm: str = "lrn", size: int = SIZE
) -> DRML:
    """The zoo's builder of ``drml``.

    Args:
        labels: AU labels.
        mode: ``faithful`` or ``modern``.
        affine: scale and shift in the region layer's batch norm; the authors' has none.
        norm: ``lrn`` or ``batch``.
        size: input side, pixels.
    """
    second = RegionLayer(size=check_size(size) - _LOST, affine=affine)
    return DRML(len(labels), second, shared_convolutions(), mode, norm, size)


def build_convnet(labels: Sequence[str], mode: str = "faithful", size: int = SIZE) -> DRML:
    """The zoo's builder of ``drml-convnet``: conv1 -> ReLU -> pool, and on as in DRML; ``mode`` and ``size`` as there."""
    return DRML(len(labels), nn.ReLU(), shared_convolutions(), mode, size=size)


def build_lcn(labels: Sequence[str], mode: str = "faithful", size: int = SIZE) -> DRML:
    """The zoo's builder of ``drml-lcn``; ``mode`` and ``size`` as in DRML.

    The poster's LCN is the ConvNet with conv5 to conv7 locally connected. The poster prints 120 M parameters. Untied weights on
    DRML's own kernels and map sizes, which is how the poster reads, make 141 M; the authors' sizes are not published, so ours
    stays with the sizes that are.
    """
    side = (check_size(size) - _LOST) // 2 - 7  # of conv4's map
    fifth = LocallyConnected(16, 16, size=side, kernel=8)
    sixth = LocallyConnected(16, 16, size=fifth.side, kernel=6, stride=2)
    seventh = LocallyConnected(16, 16, size=sixth.side, kernel=5)
    upper = nn.Sequential(
        nn.Conv2d(32, 16, 8), nn.ReLU(), fifth, nn.ReLU(), sixth, nn.ReLU(), seventh, nn.ReLU()
    )
    return DRML(len(labels), nn.ReLU(), upper, mode, size=size)
