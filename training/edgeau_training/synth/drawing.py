"""Anti-aliased drawing on masks with parts of pixels, and blending through them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "Mask", "blend", "blur", "empty_mask", "polygon", "polyline"]

Image = NDArray[np.float32]
Mask = NDArray[np.uint8]


def empty_mask(height: int, width: int | None = None) -> Mask:
    """A mask of nothing, uint8 ``(height, width)``; square without a width."""
    return np.zeros((height, height if width is None else width), np.uint8)


def polyline(
    mask: Mask, points: NDArray[Any], thickness: int, value: int = 255, *, closed: bool = False, bits: int = 3
) -> None:
    """Draw a line through points ``(N, 2)`` (x y, pixels) into a mask, in place; bits of a pixel's fraction count."""
    drawn = [np.round(points * (1 << bits)).astype(np.int32)]
    cv2.polylines(mask, drawn, closed, (float(value),), thickness, cv2.LINE_AA, bits)


def polygon(mask: Mask, points: NDArray[Any], *, bits: int = 3) -> None:
    """Fill the inside of points ``(N, 2)`` (x y, pixels) in a mask, in place."""
    cv2.fillPoly(mask, [np.round(points * (1 << bits)).astype(np.int32)], (255.0,), cv2.LINE_AA, bits)


def blur(mask: Mask, deviation: float) -> Mask:
    """The mask, smoothed by a Gaussian of a standard deviation in pixels."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), deviation), np.uint8)


def blend(image: Image, mask: Mask, colour: NDArray[Any], strength: float = 1.0) -> None:
    """Lay a colour over an image ``(H, W, 3)`` where the mask is set, in place; colour ``(3,)`` or ``(H, W, 3)``."""
    alpha = (mask.astype(np.float32) * np.float32(strength / 255))[..., None]
    image *= 1 - alpha
    image += alpha * np.asarray(colour, np.float32)
