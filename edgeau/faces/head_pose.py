"""Head pose from landmarks.

The rotation that best lays a frontal face onto the landmarks (:mod:`edgeau.faces.procrustes`) as angles: roll after pitch
after yaw.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.procrustes import kabsch_rotation
from edgeau.results import HeadPose

__all__ = ["head_pose"]

# A frontal face on points that expressions hardly move: MediaPipe index, then x y z with MediaPipe's axes (x right, y
# down, z away from the camera) in thousandths of the distance of the outer eye corners. Ours: the mean of MediaPipe's
# own landmarks of 2,000 rendered faces of 300 identities, turned back by their known pose and made symmetric. On such
# renders it is off by 2.9, 1.8 and 0.9 degrees of pitch, yaw and roll on average.
_FRONTAL = np.array(
    (
        (33, -500, -136, 260),  # outer eye corners
        (263, 500, -136, 260),
        (133, -198, -125, 196),  # inner eye corners
        (362, 198, -125, 196),
        (98, -192, 334, 16),  # nostrils
        (327, 192, 334, 16),
        (9, 0, -404, 23),  # between the brows, and down the nose
        (168, 0, -206, 26),
        (6, 0, -114, -29),
        (197, 0, -38, -90),
        (195, 0, 33, -156),
        (5, 0, 110, -222),
        (4, 0, 201, -256),
        (1, 0, 274, -238),
    ),
    np.float64,
)
_POINTS = _FRONTAL[:, 0].astype(np.intp)
_SHAPE = (_FRONTAL[:, 1:] - _FRONTAL[:, 1:].mean(axis=0)).astype(np.float32)


def head_pose(landmarks: NDArray[np.floating[Any]]) -> HeadPose:
    """Pitch, yaw and roll of a head.

    Args:
        landmarks: ``(468 or 478, 3)``, x y z in one unit, MediaPipe's axes.

    Returns:
        Degrees; pitch within -90..90.
    """
    # The frontal shape is centred, so the product does not see where the face is.
    product = landmarks.take(_POINTS, axis=0).T @ _SHAPE
    rotation = kabsch_rotation(product).tolist()
    (_, roll_sine, _), (_, roll_cosine, _), (yaw_sine, pitch_sine, yaw_cosine) = rotation
    return HeadPose(
        pitch=-math.degrees(math.asin(min(1.0, max(-1.0, pitch_sine)))),
        yaw=math.degrees(math.atan2(yaw_sine, yaw_cosine)),
        roll=-math.degrees(math.atan2(roll_sine, roll_cosine)),
    )
