"""The rendered faces as a trainer draws from any data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.crops import resized
from edgeau_training.datasets.synthetic import SyntheticFaces

__all__ = ["SyntheticCrops"]


class SyntheticCrops:
    """See :class:`~edgeau_training.datasets.crops.LabelledCrops`. Every label is known; every face is its own clip.

    Args:
        faces: one split.
    """

    def __init__(self, faces: SyntheticFaces) -> None:
        self.faces = faces
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
            crops[place] = resized(image, size)[..., ::-1]  # type: ignore[arg-type]
        return crops
