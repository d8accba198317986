"""One view of SIAT-NTU's system: an IR backbone pretrained on faces or on emotions, and a linear classifier.

Ji et al., "Multiple Transfer Learning and Multi-label Balanced Training Strategies for Facial AU Detection in the Wild",
CVPR Workshops 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from edgeau.errors import UsageError
from edgeau_training.networks.siat.ir import EMBEDDING, UNITS, IRBackbone

__all__ = ["SIATNetwork", "build_ir50", "build_ir152"]


class SIATNetwork(nn.Module):
    """``(N, 3, S, S)``, RGB in -1..1 -> logits ``(N, C)``.

    Args:
        outputs: number of AUs C.
        units: number of units in each of the backbone's four stages.
        size: S, pixels.

    Raises:
        UsageError: the units are not four positive numbers, or the size does not fit.
    """

    def __init__(self, outputs: int, units: Sequence[int], size: int = 224) -> None:
        super().__init__()
        if len(units) != 4 or min(units) < 1:
            raise UsageError(f"units {units!r} do not fit: an IR network has four stages of one unit or more")
        self.backbone = IRBackbone(units, size)
        self.classifier = nn.Linear(EMBEDDING, outputs)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def features(self, images: Tensor) -> Tensor:
        """The embedding, ``(N, 512)``."""
        return cast("Tensor", self.backbone(images))

    def classify(self, features: Tensor) -> Tensor:
        """Logits from the vector of :meth:`features`."""
        return cast("Tensor", self.classifier(features))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, ``(N, C)``."""
        return self.classify(self.features(images))


def build_ir152(labels: Sequence[str], size: int = 224, units: Sequence[int] = UNITS["ir152"]) -> SIATNetwork:
    """The zoo's builder of ``siat-ir152``; see :class:`SIATNetwork`."""
    return SIATNetwork(len(labels), units, size)


def build_ir50(labels: Sequence[str], size: int = 224, units: Sequence[int] = UNITS["ir50"]) -> SIATNetwork:
    """The zoo's builder of ``siat-ir50``; fewer ``units`` make it small enough to try things on a CPU."""
    return SIATNetwork(len(labels), units, size)
