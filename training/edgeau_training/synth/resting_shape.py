"""Shapes of resting faces that resemble an expression and are none.

Low or slanted brows, hooded lids, full cheeks, mouth corners that hang. The rig's identity modes are smooth and symmetric, and hold little of this; people's neutral faces differ most where action
units act. Every push belongs to a person, is the same in all of their pictures, and carries no label (ours).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RestingShape"]

# iBUG points, subject's left side; the right side's are their mirror images.
_BROW_INNER, _BROW, _BROW_OUTER = 22, 24, 26
_LID, _LOWER_LID = (43, 44), (46, 47)
_CORNER, _CHIN, _NOSE = 54, 8, 30
_ASYMMETRY = 0.18  # relative difference of the sides
_LIMIT = 2.2  # deviations
_FRONT = 4.0  # cm, z of what moves


class RestingShape:
    """Prepared for one rig.

    Args:
        neutral: vertices float32 ``(V, 3)``, cm, x to the subject's left, y up, z out of the face.
        landmarks: vertex numbers of the iBUG points, ``(68,)``.
        face: True for skin vertices, ``(V,)``.
    """

    def __init__(
        self, neutral: NDArray[np.float32], landmarks: NDArray[np.int32], face: NDArray[np.bool_]
    ) -> None:
        self._count = len(neutral)
        # Skin in front of the ears; nothing else moves.
        self._moving = np.flatnonzero(face & (neutral[:, 2] > _FRONT))
        self._x, self._y = np.ascontiguousarray(neutral[self._moving, :2].T, np.float64)
        points = neutral[landmarks].astype(np.float64)
        self._brow, self._inner, self._outer = points[_BROW], points[_BROW_INNER], points[_BROW_OUTER]
        self._lid = points[list(_LID)].mean(0)
        self._lower_lid, self._corner = points[list(_LOWER_LID)].mean(0), points[_CORNER]
        self._chin = points[_CHIN] + (0, 0.9, 0)
        self._nose = points[_NOSE]

    def sample(self, random: np.random.Generator) -> NDArray[np.float32]:
        """Draw one person's offsets, float32 ``(V, 3)``, cm."""
        moved = np.zeros((len(self._moving), 3))
        # One common value per trait and a little of each side's own.
        height, slant, hood, cheek, bag, corner, wide = (_normal(random) for _ in range(7))
        chin = _normal(random)
        for side in (1.0, -1.0):
            own = 1 + random.normal(0, _ASYMMETRY, 7)
            drop = 0.17 * height * own[0] + random.normal(0, 0.03)
            tilt = 0.11 * slant * own[1]
            fold = 0.15 * max(0.0, hood + 0.3) * own[2]
            self._push(moved, self._brow, (2.6, 0.95), (0, drop, 0), side)
            self._push(moved, self._inner, (1.0, 0.9), (0, tilt, 0), side)
            self._push(moved, self._outer, (1.2, 0.9), (0, -tilt, 0), side)
            # Skin that hangs over the lid: down and out between brow and lid, most on the outer half.
            over = 0.45 * self._brow + 0.55 * self._lid + np.array((0.4, 0, 0))
            self._push(moved, over, (1.5, 0.5), (0, -fold, 0.7 * fold), side)
            below = self._lower_lid + np.array((0.9, -1.9, 0))
            self._push(moved, below, (1.7, 1.1), (0, 0.08 * cheek * own[3], 0.17 * cheek * own[3]), side)
            pouch = self._lower_lid + np.array((0, -0.75, 0))
            self._push(moved, pouch, (1.1, 0.4), (0, 0, 0.07 * bag * own[4]), side)
            push = (0.07 * wide * own[6], 0.09 * corner * own[5], 0)
            self._push(moved, self._corner, (0.8, 0.7), push, side)
        self._push(moved, self._chin, (1.6, 0.9), (0, 0.06 * _normal(random), 0.16 * chin), 1.0)
        self._push(moved, self._nose, (0.9, 1.0), (0, 0.08 * _normal(random), 0.1 * _normal(random)), 1.0)
        offsets = np.zeros((self._count, 3), np.float32)
        offsets[self._moving] = moved
        return offsets

    def _push(
        self,
        moved: NDArray[np.float64],
        centre: NDArray[np.float64],
        width: tuple[float, float],
        push: tuple[float, float, float],
        side: float,
    ) -> None:
        """Add a Gaussian push about a place of the left side, or about its mirror image."""
        x, y = (self._x - side * centre[0]) / width[0], (self._y - centre[1]) / width[1]
        weight = np.exp(-(x * x + y * y) / 2)
        for axis, length in enumerate((side * push[0], push[1], push[2])):
            if length:
                moved[:, axis] += weight * length


def _normal(random: np.random.Generator) -> float:
    return float(np.clip(random.normal(), -_LIMIT, _LIMIT))
