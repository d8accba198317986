"""Regions of a face that something lies over, by the colour of the skin around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.quality.regions import Region

__all__ = ["covered_regions"]


def covered_regions(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> frozenset[Region]:
    """The regions that are covered.

    Args:
        frame: uint8 ``(height, width, 3)``, BGR.
        landmarks: ``(468 or 478, 3)``, pixels of the frame.
    """
    return frozenset()
