"""Calibration crops from an ``.npz`` file, the form in which the package carries its own."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np

from edgeau.errors import CalibrationError
from edgeau_calibration.crops import central_crop, evenly

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau.alignment import Alignment

__all__ = ["crops_of_npz"]

KEY = "crops"


def crops_of_npz(path: Path, alignment: Alignment, wanted: int) -> NDArray[np.uint8]:
    """Up to ``wanted`` evenly spaced crops of the array ``crops``: uint8 ``(n, S, S, 3)`` RGB, S the crop's or canvas's side.

    Raises:
        CalibrationError: not an NPZ file, no such array, or another type, shape or side.
    """
    crops = _array(path)
    sides = (alignment.size, alignment.canvas)
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3 or crops.shape[1] != crops.shape[2]:
        raise CalibrationError(
            f"{path}: array {KEY!r} is {crops.dtype} {crops.shape}; expected uint8 (n, S, S, 3), RGB, values 0..255"
        )
    if crops.shape[1] not in sides:
        raise CalibrationError(
            f"{path}: crops of {crops.shape[1]} pixels; expected aligned crops of {sides[0]} or {sides[1]} pixels"
        )
    return central_crop(crops[evenly(len(crops), wanted)], alignment.size)


def _array(path: Path) -> NDArray[np.uint8]:
    try:
        with np.load(path, allow_pickle=False) as file:
            if KEY not in file:
                raise CalibrationError(f"{path} has no array {KEY!r}; it has {', '.join(file) or 'none'}")
            crops: NDArray[np.uint8] = file[KEY]
            return crops
    except (OSError, ValueError, zipfile.BadZipFile, TypeError) as error:
        raise CalibrationError(
            f"{path} cannot be read as an NPZ file ({error}); copy or make it again"
        ) from error
