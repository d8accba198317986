"""The outline of a face: its oval, brows, eyes and lips as MediaPipe's mesh has them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.annotation.palette import Colour
from edgeau.results import Face

__all__ = ["draw_outline"]

# Mesh indices along each contour; closed ones end where they begin.
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172,
    58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10,
)  # fmt: skip
_BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
_EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7, 33),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382, 362),
)
_NOSE = ((168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327))
_LIPS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78),
)
_STRONG = (_OVAL,)
_FINE = (*_BROWS, *_EYES, *_NOSE, *_LIPS)
_SHIFT = 4  # cv2 draws at sixteenths of a pixel


def draw_outline(picture: NDArray[np.uint8], face: Face, colour: Colour, scale: float) -> None:
    """Draw a face's outline, in place, with lines that grow with the face.

    Args:
        picture: uint8 ``(height, width, 3)``, BGR.
        face: landmarks in pixels of the frame.
        colour: colour of the lines.
        scale: picture pixels to a frame pixel.
    """
    # A frame pixel's centre lies half a pixel inside it, in both pictures.
    points = (face.landmarks[:, :2].astype(np.float64) + 0.5) * scale - 0.5
    across = max(float(np.ptp(points[:, 0])), float(np.ptp(points[:, 1])))
    strong = max(1, round(across / 190))
    fine = max(1, round(across / 300))
    left, top, right, bottom = _window(points, picture.shape, 4 * strong)
    if left >= right or top >= bottom:
        return
    part = picture[top:bottom, left:right]
    local = points - (left, top)
    lines = part.copy()
    _trace(lines, local, _FINE, colour, fine)
    _trace(lines, local, _STRONG, colour, strong)
    cv2.addWeighted(lines, 0.8, part, 0.2, 0, dst=part)


def _window(points: NDArray[np.float64], shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """The part of the picture that a face touches: left, top, right, bottom."""
    low = np.floor(points.min(axis=0)).astype(int) - margin
    high = np.ceil(points.max(axis=0)).astype(int) + margin
    return max(0, low[0]), max(0, low[1]), min(shape[1], high[0]), min(shape[0], high[1])


def _trace(
    picture: NDArray[np.uint8],
    points: NDArray[np.float64],
    chains: tuple[tuple[int, ...], ...],
    colour: Colour,
    thickness: int,
) -> None:
    curves = [np.rint(points[list(chain)] * 2**_SHIFT).astype(np.int32)[:, None] for chain in chains]
    cv2.polylines(
        picture, curves, isClosed=False, color=colour, thickness=thickness, lineType=cv2.LINE_AA, shift=_SHIFT
    )
