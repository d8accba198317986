"""How a face is brought into a square crop: the template of the networks here, and the one that face recognition uses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.alignment import Alignment, five_points, warp
from edgeau.errors import InputError

__all__ = ["CANVAS", "Aligner", "ArcFaceTemplate"]

# The whole canvas of the five-point box, from which a trainer cuts its 224 pixels.
CANVAS = Alignment(size=256, canvas=256)

# Eye, eye, nose, mouth corner, mouth corner, from the left of the picture: pixels of a 112 x 112 crop (InsightFace).
_POINTS = np.array(
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
)
_SIDE = 112


class Aligner(Protocol):
    """Brings a face into a square crop."""

    @property
    def size(self) -> int:
        """Side of the crop, pixels."""

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """The crop of one face, uint8 ``(size, size, 3)``, in the frame's colour order.

        Raises:
            InputError: the landmarks give no scale.
        """

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the name of the method."""


@dataclass(frozen=True)
class ArcFaceTemplate:
    """The similarity that brings five points closest to ArcFace's, as IR-152 and IResNet were pre-trained with.

    Attributes:
        size: side of the crop, pixels; the template of 112 is scaled to it.
        border: value of pixels outside the frame, 0..255.
    """

    size: int = 224
    border: int = 128

    def matrix(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Frame-to-crop similarity in the sense of least squares, without reflection, float64 ``(2, 3)``.

        Args:
            landmarks: ``(468 or 478, 2 or 3)``, x y [z] in pixels of the frame.
        """
        points = five_points(landmarks)
        centre, target = points.mean(axis=0), (_POINTS * (self.size / _SIDE)).mean(axis=0)
        source, wanted = points - centre, _POINTS * (self.size / _SIDE) - target
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

    def crop(self, frame: NDArray[np.uint8], landmarks: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
        """See :meth:`Aligner.crop`."""
        return warp(frame, self.matrix(landmarks), self.size, self.border)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, with the name of the method."""
        return {"method": "arcface-template", **asdict(self)}
