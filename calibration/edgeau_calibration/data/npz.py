"""Calibration crops from an ``.npz`` file.

Either ``crops``, uint8 ``(n, S, S, 3)`` RGB; or, ten times smaller and the form in which the package carries its own,
``jpeg``, the JPEG files of the crops one after the other as uint8, and ``lengths``, their n sizes in bytes. S is the side
of the network's crop or of the alignment canvas. Where ``persons``, integers ``(n,)``, is there too, it says who is who.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path
from edgeau._system.npz import read_npz
from edgeau.errors import CalibrationError, NpzError
from edgeau_calibration.data.crops import evenly

__all__ = ["stored_crops", "write_jpeg_npz"]


def stored_crops(path: Path, wanted: int) -> tuple[list[bytes | NDArray[np.uint8]], NDArray[np.int64] | None]:
    """Up to ``wanted`` evenly spaced crops as they are stored: JPEG files, or uint8 ``(S, S, 3)`` RGB; and who they show.

    Raises:
        CalibrationError: not an NPZ file, no such arrays, or another type or shape.
    """
    try:
        arrays = read_npz(path)
    except NpzError as error:
        raise CalibrationError(
            f"{path} cannot be read as an NPZ file ({error}); copy or make it again"
        ) from error
    stored: list[bytes | NDArray[np.uint8]]
    if "jpeg" in arrays and "lengths" in arrays:
        files = _files(arrays["jpeg"], arrays["lengths"], path)
        count = len(files)
        stored = [files[index] for index in evenly(count, wanted)]
    elif "crops" in arrays:
        crops = _pixels(arrays["crops"], path)
        count = len(crops)
        stored = [*crops[evenly(count, wanted)]]
    else:
        raise CalibrationError(f"{path} has no array 'crops'; it has {', '.join(arrays) or 'none'}")
    persons = arrays.get("persons")
    if persons is None:
        return stored, None
    if persons.shape != (count,) or persons.dtype.kind not in "iu":
        raise CalibrationError(
            f"{path}: 'persons' is {persons.dtype} {persons.shape}; expected one integer for each of {count} crops"
        )
    return stored, persons[evenly(count, wanted)].astype(np.int64)


def write_jpeg_npz(path: Path, files: Sequence[bytes]) -> None:
    """Write JPEG files of crops as one ``.npz``; the same files give the same bytes."""
    lengths = np.array([len(file) for file in files], dtype=np.int64)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, jpeg=np.frombuffer(b"".join(files), dtype=np.uint8), lengths=lengths)


def _pixels(crops: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    if crops.dtype.kind == "f" and crops.ndim == 4 and crops.size:
        raise CalibrationError(f"{path}: 'crops' is {crops.dtype} {crops.shape}, {_range_of(crops)}")
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3:
        raise CalibrationError(
            f"{path}: 'crops' is {crops.dtype} {crops.shape}; expected uint8 (n, height, width, 3), RGB, values 0..255"
        )
    return crops


def _range_of(crops: NDArray[Any]) -> str:
    """Name the range that floats are in, and what to give instead."""
    low, high = float(np.nanmin(crops)), float(np.nanmax(crops))
    wanted = "give the levels as they are, uint8 0..255 RGB (n, S, S, 3): edgeau normalises them itself"
    if low < 0:
        return f"values {low:.2g}..{high:.2g}: normalised already; {wanted}"
    if high <= 1:
        return f"values {low:.2g}..{high:.2g}: divided by 255 already; {wanted}"
    return f"values {low:.3g}..{high:.3g}; {wanted}"


def _files(jpeg: NDArray[Any], lengths: NDArray[Any], path: Path) -> list[bytes]:
    sizes = lengths.tolist() if lengths.ndim == 1 and lengths.dtype.kind in "iu" else []
    if jpeg.dtype != np.uint8 or not sizes or min(sizes) < 0 or sum(sizes) != jpeg.size:
        raise CalibrationError(f"{path}: 'jpeg' and 'lengths' do not match; copy or make it again")
    return [jpeg[end - size : end].tobytes() for size, end in zip(sizes, accumulate(sizes), strict=True)]
