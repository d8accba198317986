"""Making pictures smaller by halves: OpenCV averages 2 x 2 pixels many times faster than 3 x 3 or 4 x 4."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["halved", "power_of_two"]


def power_of_two(scale: float) -> int:
    """The largest power of two that is not above a scale; 1 for scales below 2."""
    factor = 1
    while 2 * factor <= scale:
        factor *= 2
    return factor


def halved(picture: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """A picture made smaller by area.

    Args:
        picture: uint8 ``(height, width, 3)``, both sides multiples of the factor.
        factor: a power of two: so many pixels become one, along both sides. 1 gives the picture itself.
    """
    while factor > 1:
        height, width = picture.shape[:2]
        small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        picture, factor = np.asarray(small, np.uint8), factor // 2
    return picture
