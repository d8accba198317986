"""A calibration set: aligned face crops, where they come from, and a digest that names exactly these crops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import CalibrationError, InputError
from edgeau.faces.alignment import Alignment
from edgeau.sources.picture_file import decoded_picture

__all__ = [
    "MINIMUM",
    "WANTED",
    "CalibrationSet",
    "aligned_crops",
    "central_crop",
    "evenly",
    "is_aligned",
]
# Ours: ranges from fewer faces are those of one person in one light.
MINIMUM = 8
WANTED = 128
STORED = 256  # pixels a side of the crops that edgeau-synth stores


@dataclass(frozen=True)
class CalibrationSet:
    """Crops that ranges are measured on.

    Attributes:
        crops: uint8 ``(n, height, width, 3)``, RGB, aligned as the network was trained.
        source: where they come from, for people and the manifest.
        notes: what was left out on the way and why, one line each.
        persons: who each crop shows, ``(n,)``; None where nobody knows.
        rule: how the crops were chosen of those that were there, for people and the manifest.
        problems: one line for every row of the user's table that had to be left out.
    """

    crops: NDArray[np.uint8]
    source: str
    notes: tuple[str, ...] = ()
    persons: NDArray[np.int64] | None = None
    rule: str = ""
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.crops.shape
        if self.crops.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3:
            raise CalibrationError(
                f"{self.source}: expected uint8 crops (n, height, width, 3), got {self.crops.dtype} {shape}"
            )
        if self.persons is not None and self.persons.shape != shape[:1]:
            raise CalibrationError(
                f"{self.source}: expected one person for each of {shape[0]} crops, got {self.persons.shape}"
            )

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def digest(self) -> str:
        """SHA-256 over the shape and the pixels, hex."""
        state = hashlib.sha256(repr(self.crops.shape).encode())
        state.update(np.ascontiguousarray(self.crops).data)
        return state.hexdigest()

    def chosen(self, indices: NDArray[np.intp], rule: str) -> CalibrationSet:
        """Some of the crops, and the rule that chose them."""
        persons = None if self.persons is None else self.persons[indices]
        return replace(self, crops=self.crops[indices], persons=persons, rule=rule)

    def hold_out(self, calibrating: int = WANTED, unseen: int = 32) -> tuple[CalibrationSet, CalibrationSet]:
        """Crops to calibrate on, and evenly spaced others to measure the result on.

        Args:
            calibrating: crops wanted for the first.
            unseen: crops wanted for the second. Of too few crops a third is held out, or what is left by ``calibrating``
                where that is more; at least one is.
        """
        count = max(1, min(unseen, max(len(self) // 3, len(self) - calibrating)))
        held = np.zeros(len(self), dtype=bool)
        held[evenly(len(self), count)] = True
        measured_on = self.chosen(np.flatnonzero(held), self.rule)
        return (
            self.chosen(np.flatnonzero(~held), self.rule),
            replace(measured_on, source=f"held out of {self.source}", notes=()),
        )


def evenly(available: int, wanted: int) -> NDArray[np.intp]:
    """Indices of ``wanted`` (or all, if there are fewer) of ``available`` items, evenly spaced, ascending."""
    return np.linspace(0, available - 1, min(available, wanted)).round().astype(np.intp)


def aligned_crops(
    stored: Sequence[bytes | NDArray[np.uint8]], alignment: Alignment, where: str
) -> NDArray[np.uint8]:
    """Aligned crops, or the canvases around them, as the network takes them.

    Args:
        stored: a picture file each, or its pixels, uint8 ``(H, W, 3)`` RGB.
        alignment: the template of the network.
        where: they come from, for messages.

    Returns:
        uint8 ``(n, height, width, 3)`` RGB.

    Raises:
        CalibrationError: a file is damaged, or one has the size of neither the crop nor the canvas.
    """
    crops = np.empty((len(stored), *alignment.shape, 3), np.uint8)
    for place, one in enumerate(stored):
        pixels = one if isinstance(one, np.ndarray) else _decoded(one, where)
        if pixels.shape[0] == pixels.shape[1]:
            pixels = _on_canvas(pixels, alignment)
        if not is_aligned(pixels.shape[0], pixels.shape[1], alignment):
            raise CalibrationError(
                f"{where}: crops of {pixels.shape[0]} x {pixels.shape[1]} pixels; "
                f"expected aligned crops of {_aligned_sizes(alignment)}"
            )
        crops[place] = central_crop(pixels, alignment.shape)
    return crops


def _decoded(file: bytes, where: str) -> NDArray[np.uint8]:
    """A picture file's pixels, RGB."""
    try:
        return decoded_picture(file, where)[..., ::-1]
    except InputError as error:
        raise CalibrationError(
            f"{where}: a crop is not a picture; copy or make it again ({error})"
        ) from error


def _on_canvas(crop: NDArray[np.uint8], alignment: Alignment) -> NDArray[np.uint8]:
    """A crop of a rendered face, ``(256, 256, 3)``, on the canvas of a network that takes smaller ones; another as it is.

    Both canvases are the same box around the same five points, in another number of pixels.
    """
    side = crop.shape[0]
    if side != STORED or side <= alignment.canvas:
        return crop
    canvas = (alignment.canvas, alignment.canvas)
    return np.asarray(cv2.resize(crop, canvas, interpolation=cv2.INTER_AREA), np.uint8)


def central_crop(crops: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The central ``shape`` (height, width) pixels of ``(..., H, W, 3)``, as the runtime sees them of the alignment canvas."""
    top, left = (crops.shape[-3] - shape[0]) // 2, (crops.shape[-2] - shape[1]) // 2
    return crops[..., top : top + shape[0], left : left + shape[1], :]


def is_aligned(height: int, width: int, alignment: Alignment) -> bool:
    """Tell whether a picture of this size is taken for a crop, or for the canvas around one, that was aligned already."""
    return (height, width) in (alignment.shape, (alignment.canvas, alignment.canvas))


def _aligned_sizes(alignment: Alignment) -> str:
    """Those sizes, for messages."""
    (height, width), canvas = alignment.shape, alignment.canvas
    sizes = [f"{height} x {width}"] + ([] if canvas == height == width else [f"{canvas} x {canvas}"])
    return " or ".join(sizes) + " pixels (height x width)"
