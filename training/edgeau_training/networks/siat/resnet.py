"""The plain ResNets of SIAT-NTU's backbone study, without their 7x7 pooling: the map is flattened into the last layer.

Ji et al., CVPR Workshops 2020, Table 1. The paper says that the pooling layer is removed and no more; that the whole map then goes
into one linear layer is our reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import timm
from torch import Tensor, nn

from edgeau.errors import UsageError

__all__ = ["UnpooledResNet", "build_resnet18", "build_resnet50", "build_resnet152"]

_STRIDE = 32  # pixels of the input for each cell of the map


class UnpooledResNet(nn.Module):
    """``(N, 3, S, S)``, RGB with ImageNet statistics -> logits ``(N, C)``.

    Args:
        depth: name of the backbone in timm: ``resnet18``, ``resnet50`` or ``resnet152``.
        outputs: number of AUs C.
        size: S, pixels, a multiple of 32.

    Raises:
        UsageError: the size does not fit.
    """

    def __init__(self, depth: str, outputs: int, size: int = 224) -> None:
        super().__init__()
        if size < _STRIDE or size % _STRIDE:
            raise UsageError(f"size {size} does not fit: a ResNet takes multiples of {_STRIDE}, such as 224")
        self.backbone = timm.create_model(depth, pretrained=False, num_classes=0, global_pool="")
        self.classifier = nn.Linear(cast("int", self.backbone.num_features) * (size // _STRIDE) ** 2, outputs)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def features(self, images: Tensor) -> Tensor:
        """The flattened map, ``(N, channels (S / 32)^2)``."""
        return cast("Tensor", self.backbone(images).flatten(1))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(features))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def build_resnet18(labels: Sequence[str], size: int = 224) -> UnpooledResNet:
    """The zoo's builder of ``siat-resnet18``."""
    return UnpooledResNet("resnet18", len(labels), size)


def build_resnet50(labels: Sequence[str], size: int = 224) -> UnpooledResNet:
    """The zoo's builder of ``siat-resnet50``."""
    return UnpooledResNet("resnet50", len(labels), size)


def build_resnet152(labels: Sequence[str], size: int = 224) -> UnpooledResNet:
    """The zoo's builder of ``siat-resnet152``."""
    return UnpooledResNet("resnet152", len(labels), size)
