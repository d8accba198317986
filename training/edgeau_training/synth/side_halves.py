"""Left and right halves of shapes that a rig has for the whole width of the face only.

ours: one half of the chin can rise alone (AU17 on one side), which ICT-FaceKit has no shape for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HALVED", "halves"]

HALVED = ("mouthShrugLower", "mouthShrugUpper")
_BLEND = 0.8  # cm from the middle over which one side passes into the other


def halves(
    shape: NDArray[np.float32], neutral: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The subject's left and right half of offsets ``(V, 3)``, cm; their sum is the whole.

    Args:
        shape: offsets.
        neutral: vertices ``(V, 3)``, cm, x to the subject's left.
    """
    left = np.clip(0.5 + neutral[:, :1] / (2 * _BLEND), 0, 1).astype(np.float32)
    return shape * left, shape * (1 - left)
