"""Sharpness and light of an aligned crop, in some tens of microseconds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["centre", "clipped_share", "sharpness"]

# At this value a camera's pixel has stopped counting light.
_CLIPPED = 250
# How far apart pixels are whose difference fine detail hardly adds to. In pixels of the crop: what the network could not
# see anyway is not a loss.
_FAR = 8


def centre(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle half of a crop, brow to chin."""
    height, width = crop.shape[:2]
    return crop[height // 4 : height - height // 4, width // 4 : width - width // 4]


def clipped_share(face: NDArray[np.uint8]) -> float:
    """The share of pixels, 0..1, in which a colour is overexposed: of skin it is red long before the others."""
    blue, green, red = cv2.split(face)
    _, clipped = cv2.threshold(cv2.max(cv2.max(blue, green), red), _CLIPPED - 1, 1, cv2.THRESH_BINARY)
    return cv2.countNonZero(clipped) / clipped.size


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Mean difference of neighbours over that of pixels eight apart, in the blurrier direction.

    Where a face is blurred the difference grows evenly with the distance, so that an eighth is the least; light, contrast
    and flat things over the face leave the ratio as it is. Ours: Crete's blur effect (SPIE 6492, 2007) and the variance of
    the Laplacian were tried on the same faces, and both turn back where a blur is strong or has a direction.

    Args:
        grey: uint8 ``(side, side)``.

    Returns:
        0.12 blurred .. 0.2 sharp .. 1 nothing but noise; 0 for a picture of one grey value.
    """
    return min(_share(grey, down=True), _share(grey, down=False))


def _share(grey: NDArray[np.uint8], *, down: bool) -> float:
    near, far = (_difference(grey, step, down=down) for step in (1, _FAR))
    return near / far if far else 0.0


def _difference(grey: NDArray[np.uint8], step: int, *, down: bool) -> float:
    one, other = (grey[step:], grey[:-step]) if down else (grey[:, step:], grey[:, :-step])
    return cv2.norm(one, other, cv2.NORM_L1) * (1 / one.size)
