"""Closed lips stay closed: undo the parting that nose and upper-lip shapes bring with them.

The rig's noseSneer and mouthUpperUp lift the upper lip off the lower one. Unless lips part (AU25 and its like) is
shown, both lips are drawn together again, so that a picture never shows what its label denies (ours).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UPPER_SHARE = 0.55  # of the gap is closed by the upper lip, the rest by the lower one
COLUMNS = ((61, 67), (62, 66), (63, 65))  # inner lip points above and below the seam


class LipSeal:
    """Prepared for one rig's neutral mouth."""

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
