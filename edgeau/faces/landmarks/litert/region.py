"""The turned square of a frame that the landmark network looks at."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, SupportsFloat

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Region", "is_same_face", "is_turned_alike", "overlap"]

# MediaPipe looks at 1.5 times the face's box (``RectTransformationCalculator`` of its face graphs).
_MARGIN = 1.5
# The outer eye corners, right and left of the person: their line is what the region is turned by.
_RIGHT_EYE, _LEFT_EYE = 33, 263
# Regions that overlap this much are of one face (``AssociationNormRectCalculator``).
_SAME_FACE = 0.5
# Two faces side by side have their middles a face apart; half of half a face is safely less. Ours.
_MIDDLE = 0.8


@dataclass(frozen=True)
class Region:
    """A square.

    Attributes:
        x: x of its centre, pixels of the frame.
        y: y of its centre, pixels of the frame.
        side: length in pixels.
        angle: angle of its upper side against the frame's, radians, clockwise as the picture is seen, -pi to pi.
    """

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(
        cls,
        box: Iterable[SupportsFloat],
        right_eye: NDArray[np.floating[Any]],
        left_eye: NDArray[np.floating[Any]],
    ) -> Region:
        """The region of a face.

        Args:
            box: left, top, right, bottom, pixels.
            right_eye: x y of the person's right eye, pixels.
            left_eye: x y of the person's left eye, pixels.
        """
        left, top, right, bottom = (float(edge) for edge in box)
        angle = math.atan2(float(left_eye[1] - right_eye[1]), float(left_eye[0] - right_eye[0]))
        side = _MARGIN * max(right - left, bottom - top)
        return cls((left + right) / 2, (top + bottom) / 2, side, angle)

    @classmethod
    def of_landmarks(cls, landmarks: NDArray[np.float32]) -> Region:
        """Derive the region to look for a face in the next frame.

        Args:
            landmarks: ``(468, 2 or 3)``, pixels.
        """
        x, y = landmarks[:, 0], landmarks[:, 1]
        box = np.minimum.reduce(x), np.minimum.reduce(y), np.maximum.reduce(x), np.maximum.reduce(y)
        return cls.around(box, landmarks[_RIGHT_EYE], landmarks[_LEFT_EYE])

    def turn(self, quarter_turns: int) -> Region:
        """The same square, its upper side turned clockwise by so many quarters."""
        angle = self.angle + quarter_turns * math.pi / 2
        return replace(self, angle=math.remainder(angle, 2 * math.pi))

    def to_frame(self, size: int) -> NDArray[np.float64]:
        """Float64 ``(2, 3)``: pixels of the region drawn ``size`` x ``size`` to pixels of the frame."""
        scale, half = self.side / size, self.side / 2
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        x = self.x - half * cosine + half * sine
        y = self.y - half * sine - half * cosine
        return np.array([[scale * cosine, -scale * sine, x], [scale * sine, scale * cosine, y]])

    def crop(self, frame: NDArray[np.uint8], size: int, border: int) -> NDArray[np.uint8]:
        """The region upright.

        Args:
            frame: uint8 ``(height, width, 3)``.
            size: pixels along a side of what is returned.
            border: OpenCV's rule for what lies outside the frame, such as ``cv2.BORDER_REPLICATE``.

        Returns:
            uint8 ``(size, size, 3)``.
        """
        # By its four corners, as MediaPipe does: an affine warp rounds to other 1/32 pixels, and points come out 7 times as far
        # from MediaPipe's.
        corners = cv2.boxPoints(((self.x, self.y), (self.side, self.side), math.degrees(self.angle)))
        drawn = np.array([[0, size], [0, 0], [size, 0], [size, size]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, drawn)
        # cv2's stubs know the kind of array only, not its type.
        return np.asarray(
            cv2.warpPerspective(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border),
            np.uint8,
        )


def overlap(one: Region, other: Region) -> float:
    """Shared area over joint area of two regions as if neither were turned, 0..1; what MediaPipe compares them by."""
    width = _shared(one.x, one.side, other.x, other.side)
    height = _shared(one.y, one.side, other.y, other.side)
    shared = width * height
    joint = one.side**2 + other.side**2 - shared
    return shared / joint if joint > 0 else 0.0


def is_same_face(one: Region, other: Region) -> bool:
    """Tell whether two regions show one face, found twice: they overlap as MediaPipe asks, or the middle of one is inside the other's face."""
    apart = math.hypot(one.x - other.x, one.y - other.y)
    return overlap(one, other) > _SAME_FACE or apart < max(one.side, other.side) / (2 * _MARGIN) * _MIDDLE


def is_turned_alike(one: Region, other: Region) -> bool:
    """Tell whether two regions are turned by less than an eighth from one another."""
    return abs(math.remainder(one.angle - other.angle, 2 * math.pi)) < math.pi / 4


def _shared(middle: float, side: float, other_middle: float, other_side: float) -> float:
    low = max(middle - side / 2, other_middle - other_side / 2)
    high = min(middle + side / 2, other_middle + other_side / 2)
    return max(high - low, 0.0)
