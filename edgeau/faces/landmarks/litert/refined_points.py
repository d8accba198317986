"""The points of the mesh that MediaPipe's refined face mesh places again, in the order of its networks' outputs.

These are the ``subset_idxs`` of the ``Landmarks2TransformMatrix`` operators in ``face_landmark_with_attention.tflite``: the
numbers of MediaPipe's mesh for lips and eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEFT_EYE", "LIPS", "RIGHT_EYE", "RefinedPart"]


@dataclass(frozen=True)
class RefinedPart:
    """A part of the face that is looked at closer.

    Attributes:
        points: points of the mesh, int ``(n,)``.
        start: point at the end of the part's axis that is on the picture's left in an upright face.
        end: point at the axis's other end.
        contour: how many of the first points surround the iris; 0 without one.
        iris: number of the iris's first point of five; 0 without one.
    """

    points: NDArray[np.intp]
    start: int
    end: int
    contour: int = 0
    iris: int = 0


# fmt: off
LIPS = RefinedPart(
    np.array((
        61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
        78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
        76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
        62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407
    )),
    start=61,
    end=291,
)
# fmt: on
# fmt: off
RIGHT_EYE = RefinedPart(
    np.array((
        33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110,
        24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232,
        233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118,
        119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193
    )),
    start=33,
    end=133,
    contour=16,
    iris=468,
)
# fmt: on
"""The person's right eye."""
# fmt: off
LEFT_EYE = RefinedPart(
    np.array((
        263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255,
        339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449,
        450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295,
        372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417
    )),
    start=362,
    end=263,
    contour=16,
    iris=473,
)
# fmt: on
"""The person's left eye."""
