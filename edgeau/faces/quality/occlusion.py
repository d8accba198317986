"""Parts of a face that something lies over, by the colour of single points.

Skin of one face has one colour in any light, apart from its brightness, and lips have another. So something covers the
mouth when the lips cannot be told from what is around them and that is not of the colour of the upper face: a mask of any
colour, a cup, a phone. A beard leaves the lips to be seen, and is not taken for a cover. Over the brows only things of
clearly another colour are seen, over the eyes only what hides both in black, and that seldom: the landmarks slide on
sunglasses. A hand, which is skin, and anything that lies beside these points is not seen.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeau.results import Region

__all__ = ["covered_regions"]

Patch = Literal["brows", "eyes", "cheeks", "nose", "around mouth", "lips"]

# Points of the mesh on bare skin (away from brows, lashes and nostrils), and on the lips' red.
_PATCHES: dict[Patch, tuple[int, ...]] = {
    "brows": (151, 108, 337, 69, 299, 104, 333, 9),
    "eyes": (27, 28, 56, 257, 258, 286, 23, 24, 253, 254, 230, 450),
    "cheeks": (117, 118, 101, 50, 205, 346, 347, 330, 280, 425),
    "nose": (6, 197, 195, 5, 4, 45, 275),
    "around mouth": (164, 92, 322, 43, 273, 18, 200, 199, 175, 201, 421),
    "lips": (11, 12, 72, 302, 15, 16, 85, 315),
}
_POINTS = np.array([index for points in _PATCHES.values() for index in points], np.intp)
_ENDS = np.cumsum([len(points) for points in _PATCHES.values()]).tolist()
# Neighbours in this order are asked for together: brows to cheeks is the upper face, cheeks to mouth the lower one.
_SPANS: dict[Patch, tuple[int, int]] = dict(
    zip(_PATCHES, zip((0, *_ENDS[:-1]), _ENDS, strict=True), strict=True)
)

# Distances between colours, in natural logarithms: 0.1 is a tenth more of one colour. Ours, from rendered faces;
# benchmarks/quality_limits.py measures what they see and what they take for a cover wrongly.
_SAME = 0.1
_SAME_LIGHT = 0.15
_OTHER = 0.15
_OTHER_LIGHT = 0.7
_CLEARLY_OTHER = 0.5
_HAIR = 0.6  # darker than this share of the face below, a forehead may lie under hair
_BLACK = 0.3  # of the brightness above and below the eyes: no shadow of brows is as dark
_DARK = 8  # added to each value: the noise of a dark pixel would make any colour of it
# A pixel with a value from here on is overexposed: its other values say nothing about the colour of what it shows. Three
# uncovered faces with washed-out skin once lost all mouth AUs.
_OVEREXPOSED = 250
_MOST_OVEREXPOSED = 0.3  # share of the points of forehead or lids from which colours are not compared


Colours: TypeAlias = "NDArray[np.float32]"
"""Of all points in the order of :data:`_PATCHES`, ``(n, 3)``: logarithms of red over green, of blue over green, and of green."""


class _Colour(NamedTuple):
    """Logarithms of red over green, of blue over green, and of brightness."""

    red: float
    blue: float
    light: float

    def distance(self, other: _Colour) -> float:
        return math.hypot(self.red - other.red, self.blue - other.blue)


def covered_regions(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> frozenset[Region]:
    """The regions that are covered.

    Args:
        frame: uint8 ``(height, width, 3)``, BGR.
        landmarks: ``(468 or 478, 3)``, pixels of the frame; points outside are taken from its edge.
    """
    values = _values(frame, landmarks)
    points = _colours(values)
    brows = _median(points, "brows", "brows")
    below = _median(points, "cheeks", "around mouth")
    darker = _median(points, "eyes", "eyes").light - min(below.light, brows.light)
    if darker < math.log(_BLACK):
        return frozenset(
            {"eyes"}
        )  # what hides them may hide brows and cheeks: nothing is left to compare with
    compared = max(_overexposed(values, "brows"), _overexposed(values, "eyes")) < _MOST_OVEREXPOSED
    if compared and _mouth_is_covered(points):
        nose = _median(points, "nose", "nose").distance(_median(points, "brows", "cheeks")) > _OTHER
        return frozenset({"mouth", "nose"} if nose else {"mouth"})
    if compared and brows.distance(below) > _CLEARLY_OTHER and brows.light - below.light > math.log(_HAIR):
        return frozenset({"brows"})
    return frozenset()


def _mouth_is_covered(points: Colours) -> bool:
    around, lips = _median(points, "around mouth", "around mouth"), _median(points, "lips", "lips")
    if around.distance(lips) > _SAME or abs(around.light - lips.light) > _SAME_LIGHT:
        return False
    upper = _median(points, "brows", "cheeks")
    return around.distance(upper) > _OTHER or abs(around.light - upper.light) > _OTHER_LIGHT


def _median(points: Colours, first: Patch, last: Patch) -> _Colour:
    """Median over the patches from one to another; each value for itself."""
    start, end = _SPANS[first][0], _SPANS[last][1]
    ordered = np.sort(points[start:end], axis=0)
    red, blue, light = ordered[(end - start) // 2].tolist()
    return _Colour(red, blue, light)


def _values(frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The pixels of all points in the order of :data:`_PATCHES`, uint8 ``(n, 3)`` BGR."""
    height, width = frame.shape[:2]
    places = landmarks.take(_POINTS, axis=0)[:, :2]
    x, y = np.minimum(np.maximum(places, 0), (width - 1, height - 1)).astype(np.intp).T
    values: NDArray[np.uint8] = frame[y, x]
    return values


def _colours(values: NDArray[np.uint8]) -> Colours:
    logarithm: Colours = _LOGARITHMS.take(values)
    colours: Colours = np.empty_like(logarithm)
    np.subtract(logarithm[:, 2], logarithm[:, 1], out=colours[:, 0])
    np.subtract(logarithm[:, 0], logarithm[:, 1], out=colours[:, 1])
    colours[:, 2] = logarithm[:, 1]
    return colours


def _overexposed(values: NDArray[np.uint8], patch: Patch) -> float:
    """Share of a patch's points with a value at the end of its range, 0..1."""
    start, end = _SPANS[patch]
    full = sum(max(point) >= _OVEREXPOSED for point in values[start:end].tolist())
    return float(full) / (end - start)


_LOGARITHMS = np.log(np.arange(256, dtype=np.float32) + np.float32(_DARK))
