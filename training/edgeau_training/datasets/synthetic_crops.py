"""The rendered faces as a trainer draws from any data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.alignment import ArcFaceTemplate
from edgeau.faces.warp import warp
from edgeau_training.augmentation import CANVAS
from edgeau_training.datasets.crops import resize_crop
from edgeau_training.datasets.synthetic import SyntheticFaces

__all__ = ["SyntheticCrops"]


class SyntheticCrops:
    """See :class:`~edgeau_training.datasets.crops.LabelledCrops`. Every label is known; every face is its own clip.

    Args:
        faces: one split.
        arcface: cut by the template of face recognition, whose crop lies inside the stored one, instead of the whole.
    """

    def __init__(self, faces: SyntheticFaces, *, arcface: bool = False) -> None:
        self.faces = faces
        self._arcface = arcface
        self.labels = faces.labels
        self.occurrence = faces.occurrence
        self.mask = np.ones_like(faces.occurrence)
        self.clip = np.arange(len(faces), dtype=np.int32)
        self.group = faces.identity

    def __len__(self) -> int:
        return len(self.faces)

    def crops(self, rows: Sequence[int] | NDArray[np.integer[Any]], size: int) -> NDArray[np.uint8]:
        """See :meth:`~edgeau_training.datasets.crops.LabelledCrops.crops`."""
        crops = np.empty((len(rows), size, size, 3), np.uint8)
        for place, row in enumerate(rows):
            image = cv2.imdecode(np.frombuffer(self.faces.crops[row], np.uint8), cv2.IMREAD_COLOR)
            if image is None:
                raise InputError(
                    f"crop {row} of the rendered faces is not a readable JPEG; render the data set again"
                )
            crop = self._cut(image, int(row), size)  # type: ignore[arg-type]
            cv2.cvtColor(crop, cv2.COLOR_BGR2RGB, dst=crops[place])
        return crops

    def points(self, size: int) -> NDArray[np.float32]:
        """Landmarks in crops of this side, float32 ``(N, 468, 2)``, pixels."""
        if not self._arcface:
            return np.asarray((self.faces.points + 0.5) * (size / CANVAS) - 0.5, np.float32)
        return np.stack([_mapped(face, size) for face in self.faces.points])

    def _cut(self, image: NDArray[np.uint8], row: int, size: int) -> NDArray[np.uint8]:
        if self._arcface:
            return warp(image, ArcFaceTemplate(size).matrix(self.faces.points[row]), size)
        return resize_crop(image, size)


def _mapped(points: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    matrix = ArcFaceTemplate(size).matrix(points)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)
