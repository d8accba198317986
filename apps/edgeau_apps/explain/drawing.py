"""An evidence map as a picture: the crop in grey, warm where a place speaks for the AU, cold where it speaks against."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["overlay"]

_SIDE = 320  # pixels of the longer side of the picture
_WARM, _COLD = (40, 90, 255), (230, 140, 40)  # BGR
_STRONGEST = 0.8  # opacity of the largest value
_OUTLINE = (255, 255, 255)


def overlay(
    crop: NDArray[np.uint8], values: NDArray[np.float32], region: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Draw a map over a crop.

    Args:
        crop: uint8 ``(H, W, 3)`` BGR.
        values: ``(h, w)``; the largest absolute value is drawn strongest.
        region: bool ``(H, W)``, outlined; None outlines nothing.

    Returns:
        uint8, BGR, 320 pixels along the longer side.
    """
    scale = _SIDE / max(crop.shape[:2])
    size = (round(crop.shape[1] * scale), round(crop.shape[0] * scale))
    grey = cv2.cvtColor(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_BGR2GRAY)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.float32)
    smooth = values if max(values.shape) <= max(crop.shape[:2]) // 4 else _smoothed(values)
    large = cv2.resize(smooth, size, interpolation=cv2.INTER_CUBIC)
    strength = np.clip(np.abs(large) / (float(np.abs(smooth).max()) or 1.0), 0, 1)
    opacity = (_STRONGEST * strength)[..., None]
    colour = np.where((large >= 0)[..., None], np.array(_WARM, np.float32), np.array(_COLD, np.float32))
    drawn: NDArray[np.uint8] = np.rint(picture + opacity * (colour - picture)).astype(np.uint8)
    if region is not None:
        mask = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(drawn, outlines, -1, _OUTLINE, 1, cv2.LINE_AA)
    return drawn


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of single pixels, blurred so that an eye sees where it is dense."""
    return cv2.GaussianBlur(values, (0, 0), max(values.shape) / 64).astype(np.float32)
