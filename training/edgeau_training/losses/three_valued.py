"""DRML's loss (Zhao, Chu & Zhang, CVPR 2016): labels +1 present, -1 absent, 0 ignored.

``L = -(1/N) sum_n sum_c ([Y > 0] log sigmoid(z) + [Y < 0] log(1 - sigmoid(z)))``. Images whose labels are ignored count in N.
With occurrence and mask in place of the code that is the cross-entropy of this package.
"""

from __future__ import annotations

from torch import Tensor

from edgeau_training.losses.cross_entropy import CrossEntropy

__all__ = ["ThreeValuedLoss", "occurrence_and_mask"]


class ThreeValuedLoss(CrossEntropy):
    """DRML's loss from logits; labels come as occurrence and mask, see :func:`occurrence_and_mask`."""


def occurrence_and_mask(codes: Tensor) -> tuple[Tensor, Tensor]:
    """DRML's codes -1, 0, +1 ``(N, C)`` as occurrence and mask, float ``(N, C)`` each.

    Beware: 0 means ignored here, and absent in every other data set.
    """
    return (codes > 0).float(), (codes != 0).float()
