"""The alignment of face recognition: the similarity that brings five points closest to ArcFace's.

Networks whose backbone was pre-trained on identities (InsightFace, face.evoLVe) have seen faces cut this way only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment, five_points

__all__ = ["ArcFaceTemplate"]

# Eye, eye, nose, mouth corner, mouth corner, from the left of the picture: pixels of a 112 x 112 crop (InsightFace).
_POINTS = np.array(
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
)
_SIDE = 112


@dataclass(frozen=True)
class ArcFaceTemplate(Alignment):
    """ArcFace's five points, scaled from 112 pixels to ``size``. There is no larger canvas: ``canvas`` is ``size``.

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
        points, template = five_points(landmarks), _POINTS * (self.size / _SIDE)
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
