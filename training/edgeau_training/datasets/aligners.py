"""Aligners that bring a face into a square crop: the template of the networks here, and the one that face recognition uses."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.alignment import Alignment, ArcFaceTemplate

__all__ = ["CANVAS", "Aligner", "ArcFaceTemplate"]

# The whole canvas of the five-point box, from which a trainer cuts its 224 pixels.
CANVAS = Alignment(size=256, canvas=256)


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
        """Convert to plain values, with the name of the method."""
