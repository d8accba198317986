"""Regions of a face that something lies over, by the colour of single skin points.

Skin of one face has one colour in any light, apart from its brightness: what lies over a part of it (a mask, a cup, a
phone) mostly has another. Cheap and careful: it sees things that are clearly not of this face's colour, or that hide both
eyes in black. A hand, which is skin, and black things over the mouth, which could be a beard, it does not see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.quality.regions import Region

__all__ = ["covered_regions"]

# Skin points of the mesh, away from lips, brows, lashes and nostrils.
_SKIN: dict[Region, tuple[int, ...]] = {
    "brows": (151, 108, 337, 69, 299, 104, 333, 9),
    "eyes": (27, 28, 56, 257, 258, 286, 23, 24, 253, 254, 230, 450),
    "cheeks": (117, 118, 101, 50, 205, 346, 347, 330, 280, 425),
    "nose": (6, 197, 195, 5, 4, 45, 275),
    "mouth": (164, 92, 322, 43, 273, 18, 200, 199, 175, 201, 421, 206, 426),
}
_POINTS = np.array([index for points in _SKIN.values() for index in points], np.intp)
_ENDS = np.cumsum([len(points) for points in _SKIN.values()])
_PARTS = [slice(end - len(points), end) for end, points in zip(_ENDS.tolist(), _SKIN.values(), strict=True)]
# Distance of two colours in logarithms of red over green and blue over green: 0.3 is a third more or less of one. Ours.
_OTHER_COLOUR = 0.5
_BEARD = 0.6  # darker than this share of the face, a region of another colour may be hair
_BLACK = 0.3  # of the face's brightness; sunglasses, and no shadow of brows


def covered_regions(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> frozenset[Region]:
    """The regions that are covered.

    Args:
        frame: uint8 ``(height, width, 3)``, BGR.
        landmarks: ``(468 or 478, 3)``, pixels of the frame; points outside are taken from its edge.
    """
    colour, brightness = _skin(frame, landmarks)
    face = np.median(colour, axis=0)
    light = float(np.median(brightness))
    covered: list[Region] = []
    for region, part in zip(_SKIN, _PARTS, strict=True):
        share = float(np.median(brightness[part])) / light
        red, blue = (np.median(colour[part], axis=0) - face).tolist()
        other = red * red + blue * blue > _OTHER_COLOUR**2 and share > _BEARD
        if other or (region == "eyes" and share < _BLACK):
            covered.append(region)
    return frozenset(covered)


def _skin(
    frame: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colour, ``(P, 2)``, logarithms of red and of blue over green, and brightness, ``(P,)``, of the skin points."""
    height, width = frame.shape[:2]
    points = landmarks.take(_POINTS, axis=0)
    x = np.clip(points[:, 0], 0, width - 1).astype(np.intp)
    y = np.clip(points[:, 1], 0, height - 1).astype(np.intp)
    bgr = frame[y, x].astype(np.float32) + 8  # the noise of a dark pixel would make any colour of it
    logarithm = np.log(bgr)
    return logarithm[:, (2, 0)] - logarithm[:, 1:2], bgr.mean(axis=1)
