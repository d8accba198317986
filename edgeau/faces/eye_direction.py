"""Direction of the eyes from the irises of a mesh: geometry, uncalibrated.

Each iris's centre is taken from the middle between its eye's corners, in axes of the head that the mesh itself gives, and divided by the
radius of an eyeball, as a share of the eye's width. The angles are monotonic in where somebody looks; how many degrees they are off differs
from person to person (the resting place of the irises, the shape of the lids), which only a calibration could tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.landmarker import check_irises
from edgeau.results import EyeDirection

__all__ = ["eye_direction"]

# Of the mesh: iris, outer and inner corner, upper and lower lid, of the person's right and left eye.
_EYES = ((468, 33, 133, 159, 145), (473, 263, 362, 386, 374))
_ACROSS, _DOWN = (33, 263), (10, 152)  # outer corners; forehead and chin
# Radius of an eyeball (a diameter of 24.2 mm, Bekerman, Gottlieb and Vaiman 2014) to the width between its lids' corners, of adults about 30 mm.
_RADIUS = 12.1 / 30
# Lids that are nearer to each other than this share of the width hide the iris: the mesh then guesses where it is. Ours.
_SHUT = 0.12


def eye_direction(landmarks: NDArray[np.float32]) -> EyeDirection | None:
    """Mean direction of the open eyes; None where both are closed.

    Args:
        landmarks: ``(478, 3)``, pixels, as :attr:`edgeau.results.Face.landmarks`.

    Raises:
        InputError: the mesh has no irises.
    """
    check_irises(landmarks, "eye directions")
    points = landmarks.astype(np.float64)
    right, down = _axes(points)
    found = []
    for iris, outer, inner, upper, lower in _EYES:
        width = float(np.linalg.norm(points[outer] - points[inner]))
        if width == 0 or np.linalg.norm(points[upper] - points[lower]) < _SHUT * width:
            continue
        offset = (points[iris] - (points[outer] + points[inner]) / 2) / (_RADIUS * width)
        found.append((offset @ right, offset @ down))
    if not found:
        return None
    across, below = np.degrees(np.arcsin(np.clip(np.mean(found, axis=0), -1, 1)))
    return EyeDirection(pitch=float(-below), yaw=float(across))


def _axes(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors of the head in the picture's space: to the picture's right of a face that looks into the camera, and down."""
    right = points[_ACROSS[1]] - points[_ACROSS[0]]
    right = right / np.linalg.norm(right)
    down = points[_DOWN[1]] - points[_DOWN[0]]
    down = down - (down @ right) * right
    return right, down / np.linalg.norm(down)
