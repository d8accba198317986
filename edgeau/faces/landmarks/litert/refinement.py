"""The second look that MediaPipe's refined face mesh takes at lips and eyes, irises included.

``face_landmark_with_attention.tflite`` cuts three small maps out of the features of its first stage, around the first
stage's own points, and places those points again. Between its stages it uses operators that LiteRT does not have
(``Landmarks2TransformMatrix``, ``TransformTensorBilinear``, ``TransformLandmarks``); their arithmetic stands here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.network import LandmarkNetwork
from edgeau.faces.landmarks.litert.refined_points import LEFT_EYE, LIPS, RIGHT_EYE
from edgeau.faces.landmarks.mediapipe_models import ModelFile

__all__ = ["FEATURES", "MAPS", "PLACED", "Refinement"]

FEATURES = ("p_re_lu_3", (48, 48, 32))
"""Name and shape of the first stage's features that are looked at again."""

_MESH = 468
_ALL = 478
_IRIS = 5
# The features show the first stage's input, 192 pixels wide, at a quarter of its size. Of each part a map of 16 x 16 is cut
# out, which shows 1.5 times the box of its points; its points come out in quarters of that map's pixels.
_STRIDE = 4
_MAP = 16
_MARGIN = 1.5
_PARTS = (LIPS, RIGHT_EYE, LEFT_EYE)
MAPS = dict.fromkeys(
    ("transform_tensor_bilinear_v2", "transform_tensor_bilinear_v2_1", "transform_tensor_bilinear_v2_2"),
    (1, _MAP, _MAP, FEATURES[1][2]),
)
"""Names and shapes of the second stage's inputs."""

# MediaPipe names eyes by the side of the picture that they are on.
PLACED = {
    "conv_lips": 160,
    "conv_left_eye": 142,
    "conv_right_eye": 142,
    "conv_left_iris": 10,
    "conv_right_iris": 10,
}
"""Names of the second stage's outputs, and how many values each has."""


class Refinement:
    """The second stage of the network.

    Args:
        file: ``face_landmark_with_attention.tflite``.
        threads: that one inference may use.

    Raises:
        EngineError: LiteRT refuses the model.
        InputError: it is another model.
    """

    def __init__(self, file: ModelFile, threads: int) -> None:
        self._network = LandmarkNetwork(file, threads, MAPS, PLACED)

    def refine(self, points: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """All points of the refined mesh.

        Args:
            points: points of the first stage, float32 ``(468, 3)``, pixels of its input.
            features: features of the first stage, float32 ``(48, 48, 32)``.

        Returns:
            float32 ``(478, 3)``, pixels of the first stage's input.
        """
        matrices = _to_features(points)
        self._network.run(_cut_out(features, matrices))
        local = np.concatenate([self._network.view(place) for place in _BY_PART]).reshape(-1, 2)
        placed = np.empty_like(local)
        for rows, matrix in zip(_PLACED_ROWS, matrices, strict=True):
            np.matmul(local[rows], matrix[:, :2].T, out=placed[rows])
            placed[rows] += matrix[:, 2] * np.float32(_STRIDE)
        refined = np.empty((_ALL, 3), np.float32)
        refined[:_MESH] = points
        refined[_PLACED_POINTS, :2] = placed
        depths = np.add.reduce(points[:, 2].take(_CONTOURS), axis=1) / np.float32(_CONTOURS.shape[1])
        refined[_MESH:, 2] = np.repeat(depths, _IRIS)
        return refined

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network.close()


def _to_features(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Float32 ``(3, 2, 3)``: pixels of each part's map to pixels of the features (``Landmarks2TransformMatrix``)."""
    # All parts at once where that rounds as one by one does: tracking carries the last bit of a point on from frame to frame.
    flat = points[:, :2]
    axes = flat[_AXIS_ENDS] - flat[_AXIS_STARTS]
    axes /= np.maximum(np.hypot(axes[:, 0], axes[:, 1]), np.float32(1e-6))[:, None]
    turned = (axes.take(_TURN, axis=1) * _TURN_SIGNS).reshape(-1, 2, 2)
    chosen = points.take(_EVERY_POINT, axis=0)[:, :2]
    upright = np.empty((len(_EVERY_POINT), 2), np.float32)
    for rows, turn in zip(_ROWS, turned, strict=True):
        np.matmul(chosen[rows], turn, out=upright[rows])
    upright /= np.float32(_STRIDE)
    low, high = np.minimum.reduceat(upright, _STARTS), np.maximum.reduceat(upright, _STARTS)
    matrices = np.empty((len(_PARTS), 2, 3), np.float32)
    linear = matrices[:, :, :2]
    np.multiply(turned, ((high - low) * np.float32(_MARGIN / _MAP))[:, None], out=linear)
    matrices[:, :, 2] = (turned @ ((low + high) / 2)[:, :, None])[:, :, 0]
    matrices[:, :, 2] -= (linear[:, :, 0] + linear[:, :, 1]) * np.float32(_MAP / 2)
    return matrices


def _cut_out(features: NDArray[np.float32], matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of each part, float32 ``(3, 16, 16, 32)``: bilinear, 0 outside (``TransformTensorBilinear``, version 2)."""
    size, depth = features.shape[1:]
    shifts = matrices[:, None, :, 2] - np.float32(0.5)
    places = (_PIXELS @ matrices[:, :, :2].transpose(0, 2, 1) + shifts).reshape(-1, 2)
    corner = np.minimum(np.maximum(np.floor(places), 0), size - 2)
    share = np.minimum(np.maximum(places - corner, 0), 1)
    first = (corner @ np.array((1, size), np.float32)).astype(np.intp)
    # Four neighbours of every place: upper left, lower left, upper right, lower right. "clip" skips a check: none lies outside.
    neighbours = np.array((0, size, 1, size + 1), np.intp)[:, None]
    corners = features.reshape(-1, depth).take(first + neighbours, axis=0, mode="clip")
    # Each share is repeated for all values of a place: numpy multiplies long rows several times faster than many rows of 32.
    x, y = np.repeat(share.T, depth, axis=1)
    left, right = corners.reshape(2, 2, -1)
    left *= 1 - x
    right *= x
    left += right
    upper, lower = left
    upper *= 1 - y
    lower *= y
    upper += lower
    maps: NDArray[np.float32] = upper.reshape(len(_PARTS), _MAP, _MAP, depth)
    if not (places.min() >= 0 and places.max() <= size - 1):
        inside = ((places >= 0) & (places <= size - 1)).all(axis=1)
        maps *= inside.reshape(len(_PARTS), _MAP, _MAP, 1)
    return maps


def _pixel_centres() -> NDArray[np.float32]:
    middle = np.arange(_MAP, dtype=np.float32) + np.float32(0.5)
    x, y = np.meshgrid(middle, middle)
    return np.stack((x.ravel(), y.ravel()), axis=1)


_PIXELS = _pixel_centres()
_EVERY_POINT = np.concatenate([part.points for part in _PARTS])
_STARTS = np.cumsum([0, *(len(part.points) for part in _PARTS[:-1])])
_ROWS = [slice(start, start + len(part.points)) for start, part in zip(_STARTS.tolist(), _PARTS, strict=True)]
_AXIS_STARTS = np.array([part.start for part in _PARTS], np.intp)
_AXIS_ENDS = np.array([part.end for part in _PARTS], np.intp)
# Cosine and sine to the rows of a turn: c -s, s c.
_TURN, _TURN_SIGNS = np.array((0, 1, 1, 0), np.intp), np.array((1, -1, 1, 1), np.float32)
# Numbers of the points around each iris, ``(2, 16)``.
_CONTOURS = np.stack([part.points[: part.contour] for part in _PARTS[1:]])
# The second stage's outputs part by part: lips, an eye and its iris, the other eye and its iris.
_BY_PART = (0, 1, 3, 2, 4)
_IRISES = [np.arange(part.iris, part.iris + _IRIS, dtype=np.intp) for part in _PARTS[1:]]
_OF_PARTS = [
    _PARTS[0].points,
    *(np.append(part.points, iris) for part, iris in zip(_PARTS[1:], _IRISES, strict=True)),
]
_PLACED_POINTS = np.concatenate(_OF_PARTS)
_ENDS = np.cumsum([len(points) for points in _OF_PARTS]).tolist()
_PLACED_ROWS = [slice(start, end) for start, end in zip((0, *_ENDS[:-1]), _ENDS, strict=True)]
