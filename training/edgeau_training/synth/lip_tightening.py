"""A lip-tightener shape for rigs that have none: the red of both lips thins and the mouth narrows (AU23).

ours: ICT-FaceKit offers pressing (AU24) and rolling (AU28) only, and an AU23 mixed from those two would be
indistinguishable from them, so the shape is derived from the neutral mouth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

THINNING = 0.5  # share of a lip's height that a full tightening takes away
NARROWING = 0.07  # share of the mouth's half width


def lip_tightening_shape(
    neutral: NDArray[np.float32], landmarks: NDArray[np.int32], face: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return offsets (V, 3) float32 that tighten the lips of the neutral mesh.

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
