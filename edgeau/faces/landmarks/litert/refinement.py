"""The second look that MediaPipe's refined face mesh takes at lips and eyes, irises included.

``face_landmark_with_attention.tflite`` cuts three small maps out of the features of its first stage, around the first
stage's own points, and places those points again. Between its stages it uses operators that LiteRT does not have
(``Landmarks2TransformMatrix``, ``TransformTensorBilinear``, ``TransformLandmarks``); their arithmetic stands here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.network import LandmarkNetwork
from edgeau.faces.landmarks.litert.refined_points import LEFT_EYE, LIPS, RIGHT_EYE, RefinedPart
from edgeau.faces.landmarks.mediapipe_models import ModelFile

__all__ = ["FEATURES", "Refinement"]

FEATURES = ("p_re_lu_3", (48, 48, 32))
"""Name and shape of the first stage's features that are looked at again."""

_MESH = 468
_ALL = 478
# The features show the first stage's input, 192 pixels wide, at a quarter of its size. Of each part a map of 16 x 16 is cut
# out, which shows 1.5 times the box of its points; its points come out in quarters of that map's pixels.
_STRIDE = 4
_MAP = 16
_MARGIN = 1.5
_PARTS = (LIPS, RIGHT_EYE, LEFT_EYE)
_MAP_NAMES = (
    "transform_tensor_bilinear_v2",
    "transform_tensor_bilinear_v2_1",
    "transform_tensor_bilinear_v2_2",
)
# MediaPipe names eyes by the side of the picture that they are on.
_POINTS = {"conv_lips": 160, "conv_left_eye": 142, "conv_right_eye": 142}
_IRISES = {"conv_left_iris": 10, "conv_right_iris": 10}


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
        maps = dict.fromkeys(_MAP_NAMES, (1, _MAP, _MAP, FEATURES[1][2]))
        self._network = LandmarkNetwork(file, threads, maps, {**_POINTS, **_IRISES})

    def refine(self, points: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """All points of the refined mesh.

        Args:
            points: points of the first stage, float32 ``(468, 3)``, pixels of its input.
            features: features of the first stage, float32 ``(48, 48, 32)``.

        Returns:
            float32 ``(478, 3)``, pixels of the first stage's input.
        """
        matrices = [_to_features(points, part) for part in _PARTS]
        maps = [_cut_out(features, matrix) for matrix in matrices]
        placed = [values.reshape(-1, 2) for values in self._network.run(*maps)]
        refined = np.empty((_ALL, 3), np.float32)
        refined[:_MESH] = points
        for part, matrix, local in zip(_PARTS, matrices, placed, strict=False):
            refined[part.points, :2] = _placed(local, matrix)
        for part, matrix, local in zip(_PARTS[1:], matrices[1:], placed[len(_PARTS) :], strict=True):
            iris = slice(part.iris, part.iris + len(local))
            refined[iris, :2] = _placed(local, matrix)
            refined[iris, 2] = points[part.points[: part.contour], 2].mean()
        return refined

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network.close()


def _to_features(points: NDArray[np.float32], part: RefinedPart) -> NDArray[np.float32]:
    """Float32 ``(2, 3)``: pixels of a part's map to pixels of the features (``Landmarks2TransformMatrix``)."""
    axis = points[part.end, :2] - points[part.start, :2]
    cosine, sine = axis / max(float(np.hypot(*axis)), 1e-6)
    turn = np.array(((cosine, -sine), (sine, cosine)), np.float32)
    upright = points[part.points, :2] @ turn / np.float32(_STRIDE)
    low, high = upright.min(axis=0), upright.max(axis=0)
    linear = turn * ((high - low) * np.float32(_MARGIN / _MAP))
    shift = turn @ ((low + high) / 2) - linear.sum(axis=1) * np.float32(_MAP / 2)
    return np.concatenate((linear, shift[:, None]), axis=1, dtype=np.float32)


def _cut_out(features: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of a part, float32 ``(16, 16, 32)``: bilinear, 0 outside (``TransformTensorBilinear``, version 2)."""
    size = features.shape[0]
    places = _PIXELS @ matrix[:, :2].T + (matrix[:, 2] - np.float32(0.5))
    inside = ((places >= 0) & (places <= size - 1)).all(axis=1)
    corner = np.clip(np.floor(places), 0, size - 2)
    x, y = np.clip(places - corner, 0, 1).T[..., None]
    first = (corner[:, 1] * size + corner[:, 0]).astype(np.intp)
    rows = features.reshape(size * size, -1)
    upper = rows[first] * (1 - x) + rows[first + 1] * x
    lower = rows[first + size] * (1 - x) + rows[first + size + 1] * x
    values: NDArray[np.float32] = (upper * (1 - y) + lower * y) * inside[:, None]
    return values.reshape(_MAP, _MAP, -1)


def _placed(local: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points of a part in pixels of the first stage's input (``TransformLandmarks``)."""
    placed: NDArray[np.float32] = local @ matrix[:, :2].T + matrix[:, 2] * np.float32(_STRIDE)
    return placed


def _pixel_centres() -> NDArray[np.float32]:
    middle = np.arange(_MAP, dtype=np.float32) + np.float32(0.5)
    x, y = np.meshgrid(middle, middle)
    return np.stack((x.ravel(), y.ravel()), axis=1)


_PIXELS = _pixel_centres()
