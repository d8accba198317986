"""Sharpness and light of an aligned crop, in some tens of microseconds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["blur_effect", "centre_grey", "light"]

# At this value a camera's pixel has stopped counting light.
_CLIPPED = 250
_LOW_PASS = 9  # taps, as in the paper


def centre_grey(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle half of a BGR crop, brow to chin, as grey values: uint8 ``(size / 2, size / 2)``."""
    side = crop.shape[0]
    middle = crop[side // 4 : side - side // 4, side // 4 : side - side // 4]
    return cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def light(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean grey value, 0..255, and the share of overexposed pixels, 0..1."""
    clipped = cv2.countNonZero(cv2.compare(grey, (_CLIPPED,), cv2.CMP_GE))  # type: ignore[arg-type]
    return float(cv2.mean(grey)[0]), clipped / grey.size


def blur_effect(grey: NDArray[np.uint8]) -> float:
    """How little a picture changes when it is blurred once more: 0 sharp .. 1 blurred.

    Crete, Dolmiere, Ladret & Nicolas, "The blur effect: perception and estimation with a new no-reference perceptual blur
    metric", SPIE 6492 (2007), equations 1-8, on 8-bit values. A picture of one grey value gives 1.
    """
    down = _share_kept(grey[1:], grey[:-1], cv2.blur(grey, (1, _LOW_PASS)), down=True)
    across = _share_kept(grey[:, 1:], grey[:, :-1], cv2.blur(grey, (_LOW_PASS, 1)), down=False)
    return max(down, across)


def _share_kept(
    one: NDArray[np.uint8], other: NDArray[np.uint8], blurred: cv2.typing.MatLike, *, down: bool
) -> float:
    """The share of the differences between neighbours that blurring leaves."""
    sharp = cv2.absdiff(one, other)
    pair = (blurred[1:], blurred[:-1]) if down else (blurred[:, 1:], blurred[:, :-1])
    lost = cv2.subtract(sharp, cv2.absdiff(*pair))  # below 0 is 0
    whole = cv2.norm(sharp, cv2.NORM_L1)
    return 1.0 if whole == 0 else 1.0 - cv2.norm(lost, cv2.NORM_L1) / whole
