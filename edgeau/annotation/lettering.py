"""Small text that stays legible.

OpenCV's line fonts look ragged at the size of a table row. Drawn large and shrunk by area they come out smooth.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.annotation.palette import Colour

__all__ = ["text", "width"]

_LARGER = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def width(words: str, size: int, *, bold: bool = False) -> int:
    """Width of a text in pixels.

    Args:
        words: ASCII; OpenCV's fonts have no other letters.
        size: height of a capital letter, pixels.
        bold: drawn with a thicker pen.
    """
    return int(_mask(words, size, bold).shape[1])


def text(
    picture: NDArray[np.uint8],
    words: str,
    at: tuple[int, int],
    size: int,
    colour: Colour,
    *,
    bold: bool = False,
    align: Literal["left", "right", "centre"] = "left",
) -> None:
    """Draw a text into a picture, in place; what reaches over the edge is cut off.

    Args:
        picture: uint8 ``(height, width, 3)``, BGR.
        words: ASCII.
        at: x of the left, right or centre, and y of the middle of a capital letter, pixels.
        size: height of a capital letter, pixels.
        colour: colour of the letters.
        bold: with a thicker pen.
        align: what ``at`` means.
    """
    mask = _mask(words, size, bold)
    height, across = mask.shape
    left = at[0] - {"left": 0, "right": across, "centre": across // 2}[align]
    _blend(picture, mask, left, at[1] - height // 2, colour)


@lru_cache(maxsize=4096)
def _mask(words: str, size: int, bold: bool) -> NDArray[np.float32]:
    """Coverage of a text, 0..1, with the middle of its capitals at half height."""
    thickness = max(1, round(size * _LARGER * (0.17 if bold else 0.11)))
    scale = size * _LARGER / 21  # capitals of this font are 21 units high
    (across, _), _ = cv2.getTextSize(words, _FONT, scale, thickness)
    margin = thickness + size * _LARGER // 2
    large = np.zeros((size * _LARGER + 2 * margin, across + 2 * thickness), np.uint8)
    cv2.putText(
        large, words, (thickness, large.shape[0] - margin), _FONT, scale, (255,), thickness, cv2.LINE_AA
    )
    small = (max(1, round(large.shape[1] / _LARGER)), max(1, round(large.shape[0] / _LARGER)))
    return np.divide(cv2.resize(large, small, interpolation=cv2.INTER_AREA), 255, dtype=np.float32)


def _blend(
    picture: NDArray[np.uint8], mask: NDArray[np.float32], left: int, top: int, colour: Colour
) -> None:
    height, across = mask.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + across), min(picture.shape[0], top + height)
    if x0 >= x1 or y0 >= y1:
        return
    share = mask[y0 - top : y1 - top, x0 - left : x1 - left, None]
    behind = picture[y0:y1, x0:x1]
    behind[:] = np.rint(behind + share * (np.array(colour, np.float32) - behind)).astype(np.uint8)
