"""Aligned crops with labels, for a trainer to draw from, wherever the pixels are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources.picture_file import read_picture
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["FileCrops", "LabelledCrops", "resize_crop"]


class LabelledCrops(Protocol):
    """N aligned crops and what is known of C action units in each.

    Attributes:
        labels: C AU labels, in column order.
        occurrence: int8 or uint8 ``(N, C)``, 0 or 1.
        mask: int8 or uint8 ``(N, C)``: 1 where the label is known.
        clip: int32 ``(N,)``: rows with the same number are one sequence, in the order of time.
        group: int32 ``(N,)``: rows with the same number show the same person.
    """

    labels: tuple[str, ...]
    occurrence: NDArray[Any]
    mask: NDArray[Any]
    clip: NDArray[np.int32]
    group: NDArray[np.int32]

    def __len__(self) -> int:
        """N."""

    def crops(self, rows: Sequence[int] | NDArray[np.integer[Any]], size: int) -> NDArray[np.uint8]:
        """The crops of these rows, uint8 RGB ``(n, size, size, 3)``.

        Raises:
            InputError: a crop cannot be read.
        """


class FileCrops:
    """Crops in picture files, opened when they are drawn. May be shared between threads.

    Args:
        frames: aligned ones.

    Raises:
        InputError: the frames are not aligned.
    """

    def __init__(self, frames: LabelledFrames) -> None:
        if not frames.aligned:
            raise InputError(
                f"the pictures of {frames.name} in {frames.root} are not aligned; prepare them first"
            )
        self.frames = frames
        self.labels = frames.labels
        self.occurrence, self.mask = frames.occurrence, frames.mask
        self.clip, self.group = frames.clip, frames.group

    def __len__(self) -> int:
        return len(self.frames)

    def crops(self, rows: Sequence[int] | NDArray[np.integer[Any]], size: int) -> NDArray[np.uint8]:
        """See :meth:`LabelledCrops.crops`."""
        crops = np.empty((len(rows), size, size, 3), np.uint8)
        for place, row in enumerate(rows):
            crops[place] = resize_crop(self._read(int(row)), size)[..., ::-1]
        return crops

    def _read(self, row: int) -> NDArray[np.uint8]:
        crop = read_picture(self.frames.path(row))
        if crop.shape[0] != crop.shape[1]:
            raise InputError(
                f"{self.frames.path(row)} is {crop.shape[1]} x {crop.shape[0]} pixels; an aligned crop is square"
            )
        return crop


def resize_crop(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square crop at another size, uint8 ``(size, size, 3)``; by area when it shrinks."""
    if len(crop) == size:
        return crop
    method = cv2.INTER_AREA if len(crop) > size else cv2.INTER_LINEAR
    return cv2.resize(crop, (size, size), interpolation=method)  # type: ignore[return-value]
