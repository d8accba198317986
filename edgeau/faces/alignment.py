"""Similarity alignment of a face from five points, as AU networks are trained on it.

The formula is that of the JAA-Net protocol (Shao et al., ECCV 2018, released code): rotate so that the eyes are level,
take the box around eye centres, nose tip and mouth corners, and scale a square of ``margin`` times its longer side to the
canvas. A network that sees the central ``size`` pixels of the canvas gets them in one warp, without the canvas.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.records import JsonSerializable, fields_from_dict
from edgeau.errors import InputError, RecordError

__all__ = ["Alignment", "ArcFaceTemplate", "alignment_matrix", "five_points", "warp"]

# A (2, 3) matrix row by row, a b x c d y: it maps (u, v) to (a u + b v + x, c u + d v + y).
_Affine = tuple[float, float, float, float, float, float]

# MediaPipe Face Mesh indices. "Left" is the left of the picture: the person's right eye. The eye centres are means of six
# lid points each, as the protocol takes the mean of the six points of its 49-point scheme.
_EYE_LEFT = (33, 160, 158, 133, 153, 144)
_EYE_RIGHT = (362, 385, 387, 263, 373, 380)
_NOSE_TIP = (1,)
_MOUTH_LEFT = (61,)
_MOUTH_RIGHT = (291,)


def _means(groups: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Indices of all points of some groups, and the matrix that takes those points to the mean of each group."""
    indices = [index for group in groups for index in group]
    weights = [[(index in group) / len(group) for index in indices] for group in groups]
    return np.array(indices, np.intp), np.array(weights, np.float64)


_POINTS, _WEIGHTS = _means((_EYE_LEFT, _EYE_RIGHT, _NOSE_TIP, _MOUTH_LEFT, _MOUTH_RIGHT))


# Eye, eye, nose, mouth corner, mouth corner, from the left of the picture: pixels of a 112 x 112 crop (InsightFace).
_ARCFACE_POINTS = np.array(
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
)
_ARCFACE_SIDE = 112


@dataclass(frozen=True)
class Alignment(JsonSerializable):
    """The template a network was trained on; part of every checkpoint and bundle.

    Attributes:
        size: side of the square crop, pixels.
        canvas: side of the square that the formula maps to; the crop is its centre. Pixels.
        margin: canvas side over the longer side of the five-point box, ratio.
        border: value of pixels outside the frame, 0..255.
    """

    size: int = 224
    canvas: int = 256
    margin: float = 2.9
    border: int = 128

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop similarity for one face; see :func:`alignment_matrix`."""
        matrix = alignment_matrix(landmarks, self.canvas, self.margin)
        matrix[:, 2] -= (self.canvas - self.size) / 2
        return matrix

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The aligned crop of one face: uint8 ``(size, size, 3)``, in the frame's colour order."""
        a, b, x, c, d, y = _similarity(landmarks, self.canvas, self.margin)
        inset = (self.canvas - self.size) / 2
        return _warp(frame, (a, b, x - inset, c, d, y - inset), self.size, self.border)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the name of the method."""
        return {"method": "five-point-box", **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Alignment:
        """The inverse of :meth:`to_dict`, of this template and of :class:`ArcFaceTemplate`.

        Raises:
            RecordError: another method is asked for, or a field does not fit.
        """
        methods: dict[Any, type[Alignment]] = {
            "five-point-box": Alignment,
            "arcface-template": ArcFaceTemplate,
        }
        method = values.get("method")
        if method not in methods:
            known = ", ".join(methods)
            raise RecordError("method", f"{method!r} is not known; this library knows {known}")
        rest = {key: value for key, value in values.items() if key != "method"}
        return fields_from_dict(methods[method], rest, "")


@dataclass(frozen=True)
class ArcFaceTemplate(Alignment):
    """The alignment of face recognition: ArcFace's five points, scaled from 112 pixels to ``size``. There is no larger canvas: ``canvas`` is ``size``.

    Networks whose backbone was pre-trained on identities (InsightFace, face.evoLVe) have seen faces cut this way only.

    Attributes:
        size: side of the crop, pixels.
        border: value of pixels outside the frame, 0..255.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "canvas", self.size)

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop similarity in the sense of least squares, without reflection, float64 ``(2, 3)``.

        Args:
            landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels of the frame.

        Raises:
            InputError: the five points coincide, so that no scale exists.
        """
        points, template = five_points(landmarks), _ARCFACE_POINTS * (self.size / _ARCFACE_SIDE)
        centre, target = points.mean(axis=0), template.mean(axis=0)
        source, wanted = points - centre, template - target
        spread = float((source**2).sum())
        if not spread > 0:
            raise InputError(
                "the landmarks give no scale (all points coincide), so the face cannot be aligned"
            )
        # A similarity is z -> (a + ib) z on centred points; least squares gives a and b in closed form.
        a = float((source * wanted).sum()) / spread
        b = float((source[:, 0] * wanted[:, 1] - source[:, 1] * wanted[:, 0]).sum()) / spread
        linear = np.array(((a, -b), (b, a)))
        return np.column_stack((linear, target - linear @ centre))

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the name of the method."""
        return {"method": "arcface-template", "size": self.size, "border": self.border}


def five_points(landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Eye centres, nose tip and mouth corners of MediaPipe's mesh.

    Args:
        landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels.

    Returns:
        float64 ``(5, 2)``: eye on the left of the picture, eye on the right, nose tip, mouth corner left, right.
    """
    points: NDArray[np.float64] = _WEIGHTS @ landmarks.take(_POINTS, axis=0)[:, :2]
    return points


def alignment_matrix(
    landmarks: NDArray[np.floating[Any]], canvas: int = 256, margin: float = 2.9
) -> NDArray[np.float64]:
    """Similarity that maps frame pixels to canvas pixels.

    Args:
        landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels of the frame.
        canvas: side of the canvas, pixels.
        margin: canvas side over the longer side of the box around the rotated five points.

    Returns:
        float64 ``(2, 3)``, forward: ``canvas_xy = matrix @ (x, y, 1)``.

    Raises:
        InputError: the five points coincide, so that no scale exists.
    """
    return np.array(_similarity(landmarks, canvas, margin)).reshape(2, 3)


def _similarity(landmarks: NDArray[np.floating[Any]], canvas: int, margin: float) -> _Affine:
    # Plain floats: for five points numpy's calls cost ten times their arithmetic, once per face and frame.
    points = five_points(landmarks).tolist()
    (left_x, left_y), (right_x, right_y) = points[:2]
    length = math.hypot(right_x - left_x, right_y - left_y)
    if not length > 0:
        raise InputError(
            "the landmarks give no eye distance (all points coincide), so the face cannot be aligned"
        )
    cos, sin = (right_x - left_x) / length, (right_y - left_y) / length
    across = [cos * x + sin * y for x, y in points]
    down = [cos * y - sin * x for x, y in points]
    half = 0.5 * margin * max(max(across) - min(across), max(down) - min(down))
    scale = (canvas - 1) / (2 * half)
    shift_x = half - (min(across) + max(across)) / 2
    shift_y = half - (min(down) + max(down)) / 2
    return scale * cos, scale * sin, scale * shift_x, -scale * sin, scale * cos, scale * shift_y


def warp(
    frame: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, border: int = 128
) -> NDArray[np.uint8]:
    """Bilinear warp of a frame through a forward matrix to a square crop.

    Args:
        frame: uint8 ``(height, width, 3)``.
        matrix: ``(2, 3)``, frame pixels to crop pixels.
        size: side of the crop, pixels.
        border: value outside the frame, 0..255.

    Returns:
        uint8 ``(size, size, 3)``, contiguous.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    return _warp(frame, (a, b, x, c, d, y), size, border)


def _warp(frame: NDArray[np.uint8], affine: _Affine, size: int, border: int) -> NDArray[np.uint8]:
    a, b, x, c, d, y = affine
    # Bilinear sampling skips pixels below half size, and the aliasing looks like wrinkles to an AU network: shrink by
    # area first. By a whole number, and only the part of the frame that is seen: cheap in a frame of any size.
    factor = max(1, int(1 / math.hypot(a, c)))
    left, top, right, bottom = _seen(affine, size, margin=2 * factor)
    width = (min(right, frame.shape[1]) - left) // factor
    height = (min(bottom, frame.shape[0]) - top) // factor
    if width <= 0 or height <= 0:
        return np.full((size, size, 3), border, np.uint8)
    part = frame[top : top + height * factor, left : left + width * factor]
    # One row of a face lies far from the next in a frame; side by side they are read faster.
    part = _shrunk(part, width, height) if factor > 1 else np.ascontiguousarray(part)
    # A pixel of the part is `factor` pixels of the frame; its centre is theirs.
    first_x, first_y = left + (factor - 1) / 2, top + (factor - 1) / 2
    moved = (
        (a * factor, b * factor, a * first_x + b * first_y + x),
        (c * factor, d * factor, c * first_x + d * first_y + y),
    )
    crop: NDArray[np.uint8] = cv2.warpAffine(  # type: ignore[assignment]
        part,
        np.array(moved),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    )
    return crop


def _shrunk(part: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _seen(affine: _Affine, size: int, margin: int) -> tuple[int, int, int, int]:
    """What part of a frame a crop shows, with a margin: left and top, 0 or more, and right and bottom, outside."""
    a, b, x, c, d, y = affine
    determinant = a * d - b * c
    corners = [(u - x, v - y) for u in (0, size) for v in (0, size)]
    across = [(d * u - b * v) / determinant for u, v in corners]
    down = [(a * v - c * u) / determinant for u, v in corners]
    return (
        max(math.floor(min(across)) - margin, 0),
        max(math.floor(min(down)) - margin, 0),
        math.ceil(max(across)) + margin,
        math.ceil(max(down)) + margin,
    )
