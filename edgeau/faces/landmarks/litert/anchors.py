"""The places at which the face detector looks for faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANCHORS"]

# Cells along a side, and boxes a cell: one map at stride 8 and three at stride 16 of 128 pixels, two boxes each. All have
# the same size, so a box is a centre and nothing more (``SsdAnchorsCalculator`` of MediaPipe with ``fixed_anchor_size``).
_MAPS = ((16, 2), (8, 6))


def _anchors() -> NDArray[np.float32]:
    return np.concatenate([_centres(cells, boxes) for cells, boxes in _MAPS])


def _centres(cells: int, boxes: int) -> NDArray[np.float32]:
    middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
    x, y = np.meshgrid(middle, middle)
    return np.repeat(np.stack((x.ravel(), y.ravel()), axis=1), boxes, axis=0)


ANCHORS = _anchors()
"""Float32 ``(896, 2)``: x y of each box's centre in shares of the detector's input, in the order of its outputs."""
