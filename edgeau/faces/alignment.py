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
from edgeau.faces.warp import Affine, warp, warp_affine

__all__ = [
    "Alignment",
    "ArcFaceTemplate",
    "BoxCrop",
    "FivePointTemplate",
    "WholePicture",
    "alignment_matrix",
    "five_points",
]

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
_FIVE = 5
_NO_SCALE = "the landmarks give no scale (all points coincide), so the face cannot be aligned"


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

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the crop, pixels."""
        return self.size, self.size

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop similarity for one face; see :func:`alignment_matrix`."""
        matrix = alignment_matrix(landmarks, self.canvas, self.margin)
        matrix[:, 2] -= (self.canvas - self.size) / 2
        return matrix

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The aligned crop of one face: uint8 ``(height, width, 3)`` of :attr:`shape`, in the frame's colour order."""
        a, b, x, c, d, y = _similarity(landmarks, self.canvas, self.margin)
        inset = (self.canvas - self.size) / 2
        return warp_affine(frame, (a, b, x - inset, c, d, y - inset), self.shape, self.border)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, with the name of the method."""
        return {"method": "five-point-box", **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Alignment:
        """The inverse of :meth:`to_dict`, of every alignment of this file.

        Raises:
            RecordError: another method is asked for, or a field does not fit.
        """
        methods: dict[Any, type[Alignment]] = {
            "five-point-box": Alignment,
            "arcface-template": ArcFaceTemplate,
            "five-points": FivePointTemplate,
            "box": BoxCrop,
            "none": WholePicture,
        }
        method = values.get("method")
        if not isinstance(method, str) or method not in methods:
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
        template = _ARCFACE_POINTS * (self.size / _ARCFACE_SIDE)
        return _least_squares_similarity(five_points(landmarks), template)

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The aligned crop of one face: uint8 ``(size, size, 3)``, in the frame's colour order."""
        return warp(frame, self.matrix(landmarks), self.shape, self.border)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, with the name of the method."""
        return {"method": "arcface-template", "size": self.size, "border": self.border}


@dataclass(frozen=True)
class _Rectangle(Alignment):
    """An alignment whose crop may be a rectangle. There is no larger canvas.

    Attributes:
        height: height of the crop, pixels.
        width: width of the crop, pixels.
    """

    height: int = 224
    width: int = 224

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise RecordError("height, width", f"must be 1 or more, got {self.height} x {self.width}")
        # What asks for the side of a square (records, tables) gets the longer side.
        object.__setattr__(self, "size", max(self.height, self.width))
        object.__setattr__(self, "canvas", self.size)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the crop, pixels."""
        return self.height, self.width

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The aligned crop of one face: uint8 ``(height, width, 3)``, in the frame's colour order."""
        return warp(frame, self.matrix(landmarks), self.shape, self.border)


@dataclass(frozen=True)
class FivePointTemplate(_Rectangle):
    """A similarity that brings five points of the face as near as it can to given places of the crop.

    Attributes:
        points: where they belong, x y in pixels of the crop: eye centre on the left of the picture, on the right, nose tip,
            mouth corner left, right.
        height: height of the crop, pixels.
        width: width of the crop, pixels.
        border: value of pixels outside the frame, 0..255.
    """

    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.points) != _FIVE:
            raise RecordError(
                "points",
                f"expected 5 (eyes, nose tip, mouth corners; x y in pixels of the crop), got {len(self.points)}",
            )
        if len(set(self.points)) < _FIVE:
            raise RecordError("points", "two of the five are the same")

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop similarity in the sense of least squares, without reflection, float64 ``(2, 3)``.

        Args:
            landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels of the frame.

        Raises:
            InputError: the five points coincide, so that no scale exists.
        """
        return _least_squares_similarity(five_points(landmarks), np.array(self.points))

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, with the name of the method."""
        points = [list(point) for point in self.points]
        rest = {"height": self.height, "width": self.width, "border": self.border}
        return {"method": "five-points", "points": points, **rest}


@dataclass(frozen=True)
class BoxCrop(_Rectangle):
    """The upright box around all landmarks with a margin, grown in one direction to the shape of the crop; never turned.

    Attributes:
        margin: what is added on each side of the box, as a share of its width and height; 0 or more.
        height: height of the crop, pixels.
        width: width of the crop, pixels.
        border: value of pixels outside the frame, 0..255.
    """

    margin: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.margin < math.inf:
            raise RecordError("margin", f"must be 0 or more, a share of the box, got {self.margin}")

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop scaling and shift, float64 ``(2, 3)``.

        Args:
            landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels of the frame.

        Raises:
            InputError: all points coincide, so that no scale exists.
        """
        low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
        extent = (high - low).astype(np.float64) * (1 + 2 * self.margin)
        if not extent.max() > 0:
            raise InputError(_NO_SCALE)
        inside = np.array((self.width, self.height), np.float64)
        scale = float((inside / np.maximum(extent, 1e-9)).min())
        # Pixel centres are whole numbers: the middle of a crop of 224 pixels is 111.5.
        shift = (inside - 1) / 2 - scale * (low + high).astype(np.float64) / 2
        return np.array(((scale, 0.0, shift[0]), (0.0, scale, shift[1])))

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, with the name of the method."""
        rest = {"height": self.height, "width": self.width, "border": self.border}
        return {"method": "box", "margin": self.margin, **rest}


@dataclass(frozen=True)
class WholePicture(_Rectangle):
    """No alignment: the whole frame, scaled to the crop without keeping its aspect ratio.

    For networks that were trained on whole pictures of one face. The face is found all the same, for results have a box.

    Attributes:
        height: height of the crop, pixels.
        width: width of the crop, pixels.
    """

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:  # noqa: ARG002 - as Alignment
        """There is none, since landmarks do not say how large the frame is.

        Raises:
            InputError: always.
        """
        raise InputError("a network without alignment sees the whole picture; landmarks give it no matrix")

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:  # noqa: ARG002
        """The whole frame: uint8 ``(height, width, 3)``, in the frame's colour order."""
        shrinks = frame.shape[0] > self.height and frame.shape[1] > self.width
        crop: NDArray[np.uint8] = cv2.resize(  # type: ignore[assignment]
            frame,
            (self.width, self.height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        return crop

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, with the name of the method."""
        return {"method": "none", "height": self.height, "width": self.width}


def _least_squares_similarity(
    points: NDArray[np.float64], template: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit the similarity that moves points ``(5, 2)`` nearest to a template ``(5, 2)``, float64 ``(2, 3)``."""
    centre, target = points.mean(axis=0), template.mean(axis=0)
    source, wanted = points - centre, template - target
    spread = float((source**2).sum())
    if not spread > 0:
        raise InputError(_NO_SCALE)
    # A similarity is z -> (a + ib) z on centred points; least squares gives a and b in closed form.
    a = float((source * wanted).sum()) / spread
    b = float((source[:, 0] * wanted[:, 1] - source[:, 1] * wanted[:, 0]).sum()) / spread
    linear = np.array(((a, -b), (b, a)))
    return np.column_stack((linear, target - linear @ centre))


def five_points(landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Eye centres, nose tip and mouth corners of MediaPipe's mesh, or of a detector that gives just these.

    Args:
        landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels; or the five points themselves, ``(5, 2)``.

    Returns:
        float64 ``(5, 2)``: eye on the left of the picture, eye on the right, nose tip, mouth corner left, right.
    """
    if len(landmarks) == _FIVE:
        return np.asarray(landmarks[:, :2], np.float64)
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


def _similarity(landmarks: NDArray[np.floating[Any]], canvas: int, margin: float) -> Affine:
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
