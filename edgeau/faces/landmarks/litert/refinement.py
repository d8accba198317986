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
    # A point as a complex number is turned by one multiplication, all parts at once.
    places = np.ascontiguousarray(points[:, :2]).view(np.complex64)[:, 0]
    start, end = places.take(_AXES)
    axes = [axis / max(abs(axis), 1e-6) for axis in (end - start).tolist()]
    upright = places.take(_EVERY_POINT)
    upright *= np.array(axes, np.complex64).conj().take(_PART_OF_POINT)
    corners = upright.view(np.float32).reshape(-1, 2)
    boxes = np.minimum.reduceat(corners, _STARTS).tolist(), np.maximum.reduceat(corners, _STARTS).tolist()
    return np.array([_to_part(*of_part) for of_part in zip(axes, *boxes, strict=True)], np.float32)


def _to_part(
    axis: complex, low: tuple[float, float], high: tuple[float, float]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Pixels of a part's map to pixels of the features.

    Args:
        axis: direction of the part's axis, of length 1.
        low: least x y of its points with the axis level, pixels of the first stage's input.
        high: largest x y.
    """
    (left, top), (right, bottom) = low, high
    across, down = ((length * _MARGIN / (_MAP * _STRIDE)) for length in (right - left, bottom - top))
    a, b = axis.real * across, -axis.imag * down
    c, d = axis.imag * across, axis.real * down
    middle = axis * complex(left + right, top + bottom) / (2 * _STRIDE)
    half = _MAP / 2
    return (a, b, middle.real - (a + b) * half), (c, d, middle.imag - (c + d) * half)


def _cut_out(features: NDArray[np.float32], matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of each part, float32 ``(3, 16, 16, 32)``: bilinear, 0 outside (``TransformTensorBilinear``, version 2)."""
    size, depth = features.shape[1:]
    places = matrices @ _PIXELS
    places -= np.float32(0.5)
    inside = bool(places.min() >= 0 and places.max() < size - 1)
    corner = np.floor(places)
    if not inside:
        np.clip(corner, 0, size - 2, out=corner)
    shares = places - corner
    if not inside:
        np.clip(shares, 0, 1, out=shares)
    rest = 1 - shares
    weights = np.empty((len(_PARTS), _MAP**2, 1, 4), np.float32)
    for number, (across, down) in enumerate(((rest, rest), (shares, rest), (rest, shares), (shares, shares))):
        np.multiply(across[:, 0], down[:, 1], out=weights[:, :, 0, number])
    first = (corner[:, 0] + corner[:, 1] * np.float32(size)).astype(np.intp)
    # "clip" skips a check: no neighbour lies outside.
    values = features.reshape(-1, depth).take(first[:, :, None] + _NEIGHBOURS, axis=0, mode="clip")
    # A small product for each place is faster than multiplying and adding all places in rows of 32 values.
    maps: NDArray[np.float32] = np.matmul(weights, values)
    if not inside:
        maps *= ((places >= 0) & (places <= size - 1)).all(axis=1)[:, :, None, None]
    return maps.reshape(len(_PARTS), _MAP, _MAP, depth)


def _pixel_centres() -> NDArray[np.float32]:
    """Centres of a map's pixels, float32 ``(3, 256)``: x, y, 1."""
    middle = np.arange(_MAP, dtype=np.float32) + np.float32(0.5)
    x, y = np.meshgrid(middle, middle)
    return np.stack((x.ravel(), y.ravel(), np.ones(_MAP**2, np.float32)))


_PIXELS = _pixel_centres()
_EVERY_POINT = np.concatenate([part.points for part in _PARTS])
_COUNTS = [len(part.points) for part in _PARTS]
_STARTS = np.cumsum([0, *_COUNTS[:-1]])
_PART_OF_POINT = np.repeat(np.arange(len(_PARTS)), _COUNTS)
# Both ends of every part's axis.
_AXES = np.array([[part.start for part in _PARTS], [part.end for part in _PARTS]], np.intp)
# Numbers of the points around each iris, ``(2, 16)``.
_CONTOURS = np.stack([part.points[: part.contour] for part in _PARTS[1:]])
# Upper left, upper right, lower left, lower right, in rows of the features.
_NEIGHBOURS = np.array((0, 1, FEATURES[1][1], FEATURES[1][1] + 1), np.intp)
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
