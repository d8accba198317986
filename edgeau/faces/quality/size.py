"""How large a face is in its frame, whatever way it is tilted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.alignment import five_points

__all__ = ["five_point_size"]


def five_point_size(landmarks: NDArray[np.float32]) -> float:
    """Longer side of the box around eye centres, nose tip and mouth corners with the eyes level, pixels.

    It is what :class:`~edgeau.faces.alignment.Alignment` scales by: a crop shows ``margin`` times as many pixels a side.

    Args:
        landmarks: ``(468 or 478, 2 or 3)``, pixels of the frame.
    """
    points = five_points(landmarks).tolist()
    (left_x, left_y), (right_x, right_y) = points[:2]
    length = math.hypot(right_x - left_x, right_y - left_y)
    if not length > 0:
        return 0.0
    cos, sin = (right_x - left_x) / length, (right_y - left_y) / length
    across = [cos * x + sin * y for x, y in points]
    down = [cos * y - sin * x for x, y in points]
    longer: float = max(max(across) - min(across), max(down) - min(down))
    return longer
