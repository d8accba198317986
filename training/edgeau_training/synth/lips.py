"""Lips of a head mesh: closed ones stay closed, and a shape that tightens them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UPPER_SHARE = 0.55  # of the gap is closed by the upper lip, the rest by the lower one
COLUMNS = ((61, 67), (62, 66), (63, 65))  # inner lip points above and below the seam


class LipSeal:
    """Prepared for one rig's neutral mouth.

    Closed lips stay closed: it undoes the parting that nose and upper-lip shapes bring with them. The rig's noseSneer and
    mouthUpperUp lift the upper lip off the lower one. Unless lips part (AU25 and its like) is shown, both lips are drawn
    together again, so that a picture never shows what its label denies (ours).
    """

    def __init__(
        self, neutral: NDArray[np.float32], landmarks: NDArray[np.int32], face: NDArray[np.bool_]
    ) -> None:
        mouth = neutral[landmarks[48:68]]
        self._above = landmarks[[above for above, _ in COLUMNS]]
        self._below = landmarks[[below for _, below in COLUMNS]]
        x, y, z = neutral.T
        half = abs(float(mouth[6, 0] - mouth[0, 0])) / 2
        order = np.argsort(mouth[12:17, 0])
        seam = np.interp(x, mouth[12:17, 0][order], mouth[12:17, 1][order])
        height = max(float(mouth[3, 1] - mouth[9, 1]) / 2, 0.2)
        apart = np.abs(y - seam) / height
        weight = np.clip((2.3 - apart) / 1.3, 0, 1) * np.clip((1.12 - np.abs(x) / half) / 0.5, 0, 1)
        weight *= face & (z > float(mouth[:, 2].min()) - 0.8)
        # Which lip a vertex belongs to: the vertices inside the mouth lie at the seam's height and follow by depth.
        self._upper = (weight * (y > seam)).astype(np.float32)
        self._lower = (weight * (y <= seam)).astype(np.float32)

    def close(self, vertices: NDArray[np.float32], resting: NDArray[np.float32]) -> None:
        """Close the lips of vertices (V, 3) in place, to the gap that the resting face (V, 3) has."""
        for _ in range(2):
            gap = float((vertices[self._above, 1] - vertices[self._below, 1]).mean())
            rest = float((resting[self._above, 1] - resting[self._below, 1]).mean())
            excess = gap - rest
            if excess <= 0.01:
                return
            vertices[:, 1] -= np.float32(UPPER_SHARE * excess) * self._upper
            vertices[:, 1] += np.float32((1 - UPPER_SHARE) * excess) * self._lower


THINNING = 0.5  # share of a lip's height that a full tightening takes away
NARROWING = 0.07  # share of the mouth's half width


def lip_tightening_shape(
    neutral: NDArray[np.float32], landmarks: NDArray[np.int32], face: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return offsets (V, 3) float32 that tighten the lips of the neutral mesh.

    The red of both lips thins and the mouth narrows (AU23). ours: ICT-FaceKit offers pressing (AU24) and rolling (AU28) only,
    and an AU23 mixed from those two would be indistinguishable from them, so the shape is derived from the neutral mouth.

    neutral (V, 3); landmarks (68,) vertex numbers, iBUG order; face (V,) True for skin vertices.
    """
    mouth = neutral[landmarks[48:68]].astype(np.float64)
    order = np.argsort(mouth[[12, 13, 14, 15, 16], 0])
    inner = mouth[[12, 13, 14, 15, 16]][order]
    upper = mouth[[0, 1, 2, 3, 4, 5, 6]]
    lower = mouth[[0, 11, 10, 9, 8, 7, 6]]
    x, y, z = neutral.T.astype(np.float64)
    seam = np.interp(x, inner[:, 0], inner[:, 1])
    top = np.interp(x, upper[:, 0], upper[:, 1]) - seam
    bottom = seam - np.interp(x, lower[:, 0], lower[:, 1])
    height = np.maximum(np.where(y > seam, top, bottom), 0.15)
    relative = np.abs(y - seam) / height
    half = max(float(abs(mouth[6, 0] - mouth[0, 0])) / 2, 1e-3)
    across = np.clip(1.25 - np.abs(x) / half, 0, 1) / 0.25
    weight = np.clip((2.4 - relative) / 1.4, 0, 1) * np.clip(across, 0, 1)
    weight *= face & (z > mouth[:, 2].min() - 1.0)
    offsets = np.zeros_like(neutral)
    offsets[:, 1] = -THINNING * weight * np.clip(y - seam, -height, height)
    offsets[:, 0] = -NARROWING * weight * x
    return offsets
