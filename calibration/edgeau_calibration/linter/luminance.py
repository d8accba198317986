"""Grey pictures of crops, as several rules look at them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["luminance"]


def luminance(crops: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    """Area-averaged grey pictures, float32 ``(n, height, width)`` in 0..255, of RGB crops ``(n, S, S, 3)``."""
    grey = [
        cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA)
        for crop in crops
    ]
    return np.array(grey, np.float32).reshape(-1, height, width)
