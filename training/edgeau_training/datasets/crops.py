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

_GREY = 128  # of the crop that stands for a damaged picture

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


# Of the pictures of a side; with more the copy is incomplete or the disk is failing, and what is left is another data set.
_MOST_UNREADABLE = 0.1


class FileCrops:
    """Crops in picture files, opened when they are drawn. May be shared between threads.

    A picture that cannot be read is grey, named, and from then on nothing is known of it, so that it neither trains nor measures.

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
        self.occurrence, self.mask = frames.occurrence.copy(), frames.mask.copy()
        self._unreadable: dict[int, str] = {}
        self.clip, self.group = frames.clip, frames.group

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for everything that was left out so far."""
        return (*self.frames.problems, *(self._unreadable[row] for row in sorted(self._unreadable.copy())))

    def crops(self, rows: Sequence[int] | NDArray[np.integer[Any]], size: int) -> NDArray[np.uint8]:
        """See :meth:`LabelledCrops.crops`.

        Raises:
            InputError: more than a tenth of the crops cannot be read.
        """
        crops = np.empty((len(rows), size, size, 3), np.uint8)
        for place, row in enumerate(rows):
            crops[place] = resize_crop(self._read(int(row)), size)[..., ::-1]
        return crops

    def _read(self, row: int) -> NDArray[np.uint8]:
        try:
            crop = read_picture(self.frames.path(row))
        except InputError as error:
            self._leave_out(row, error)
            return np.full((1, 1, 3), _GREY, np.uint8)
        if crop.shape[0] != crop.shape[1]:
            raise InputError(
                f"{self.frames.path(row)} is {crop.shape[1]} x {crop.shape[0]} pixels; an aligned crop is square"
            )
        return crop

    def _leave_out(self, row: int, error: InputError) -> None:
        self._unreadable[row] = self.frames.unreadable(row, error)
        self.mask[row] = 0
        self.occurrence[row] = 0
        if len(self._unreadable) > max(1, _MOST_UNREADABLE * len(self)):
            raise InputError(
                f"{len(self._unreadable)} of {len(self)} pictures of {self.frames.name} cannot be read, the last: {error}"
            )


def resize_crop(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A square crop at another size, uint8 ``(size, size, 3)``; by area when it shrinks."""
    if len(crop) == size:
        return crop
    method = cv2.INTER_AREA if len(crop) > size else cv2.INTER_LINEAR
    return cv2.resize(crop, (size, size), interpolation=method)  # type: ignore[return-value]
