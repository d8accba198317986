"""Draws of a sampler for one epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw"]


@dataclass(frozen=True)
class Draw:
    """M rows of a data set of C labels.

    Attributes:
        order: int64 ``(M,)``, rows in the order of training; a row may be there more than once, or not at all.
        mask: uint8 ``(M, C)``, the labels of each drawn row that count: the data's own mask, or less.
    """

    order: NDArray[np.int64]
    mask: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.mask.shape[:1] != self.order.shape or self.mask.dtype != np.uint8:
            raise ValueError(f"mask {self.mask.dtype} {self.mask.shape} must be uint8 ({len(self.order)}, C)")

    def __len__(self) -> int:
        return len(self.order)
