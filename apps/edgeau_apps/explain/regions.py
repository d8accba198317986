"""The part of a face in which an action unit shows, as a mask on a crop.

Which part moves is Ekman and Friesen's description of each unit (Facial Action Coding System, 1978); the outlines are ours, as
convex hulls of points of MediaPipe's face mesh.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["region_mask", "region_name"]

# Points around each part, by MediaPipe's numbers. The subject's right is on the left of the picture.
_RIGHT_BROW = (103, 104, 67, 109, 54, 21, 70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
_LEFT_BROW = (332, 333, 297, 338, 284, 251, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
_BETWEEN_BROWS = (9, 8, 168, 151)
_RIGHT_EYE = (70, 107, 55, 193, 243, 33, 226, 130, 111, 117, 118, 119, 120, 121, 128)
_LEFT_EYE = (300, 336, 285, 417, 463, 263, 446, 359, 340, 346, 347, 348, 349, 350, 357)
_RIGHT_CHEEK = (226, 31, 228, 229, 230, 231, 232, 233, 244, 126, 36, 203, 206, 207, 187, 123, 116, 143)
_LEFT_CHEEK = (446, 261, 448, 449, 450, 451, 452, 453, 464, 355, 266, 423, 426, 427, 411, 352, 345, 372)
_NOSE = (9, 55, 285, 193, 417, 48, 278, 129, 358, 2, 203, 423, 36, 266)
_UPPER_LIP = (48, 278, 129, 358, 203, 423, 206, 426, 216, 436, 57, 287, 13, 61, 291)
_MOUTH = (203, 423, 206, 426, 216, 436, 212, 432, 202, 422, 204, 424, 194, 418, 18, 2)
_JAW = (203, 423, 206, 426, 216, 436, 214, 434, 210, 430, 169, 394, 170, 395, 171, 396, 152, 2)
_CHIN = (57, 287, 43, 273, 202, 422, 204, 424, 176, 400, 148, 377, 152, 14)

_BROWS = ("brows and forehead", ((*_RIGHT_BROW, *_LEFT_BROW, *_BETWEEN_BROWS),))
_EYES = ("eyes", (_RIGHT_EYE, _LEFT_EYE))
_LOWER_FACE = ("mouth", (_MOUTH,))
_REGIONS: dict[int, tuple[str, tuple[tuple[int, ...], ...]]] = {
    1: _BROWS,
    2: _BROWS,
    4: _BROWS,
    5: _EYES,
    6: ("eyes and cheeks", (_RIGHT_EYE, _LEFT_EYE, _RIGHT_CHEEK, _LEFT_CHEEK)),
    7: _EYES,
    9: ("nose", (_NOSE,)),
    10: ("nose wings and upper lip", (_UPPER_LIP,)),
    12: ("cheeks and mouth", (_RIGHT_CHEEK, _LEFT_CHEEK, _MOUTH)),
    **dict.fromkeys((14, 15, 16, 18, 20, 22, 23, 24, 28), _LOWER_FACE),
    17: ("chin", (_CHIN,)),
    **dict.fromkeys((25, 26, 27), ("mouth and jaw", (_JAW,))),
    43: _EYES,
    45: _EYES,
}
_LABEL = re.compile(r"AU(\d+)[LR]?")


def region_name(label: str) -> str | None:
    """Name the part of a face in which an AU shows; None for labels that are no AU of the table."""
    found = _region(label)
    return None if found is None else found[0]


def region_mask(label: str, points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """The part of a crop in which an AU shows.

    Args:
        label: such as ``"AU12"`` or, for one side, ``"AU12L"``, which has the region of both.
        points: landmarks in pixels of the crop, ``(468 or 478, 2 or more)``.
        shape: height and width of the crop.

    Returns:
        bool of ``shape``; None for labels that are no AU of the table.
    """
    found = _region(label)
    if found is None:
        return None
    mask = np.zeros(shape, np.uint8)
    for part in found[1]:
        hull = cv2.convexHull(points[list(part), :2].astype(np.float32))
        cv2.fillConvexPoly(mask, np.rint(hull).astype(np.int32), (1,))
    return mask.astype(bool)


def _region(label: str) -> tuple[str, tuple[tuple[int, ...], ...]] | None:
    match = _LABEL.fullmatch(label)
    return None if match is None else _REGIONS.get(int(match[1]))
