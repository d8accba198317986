"""Calibration crops from a synthetic data set: the aligned crops of its training split, read from Parquet shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from tqdm import tqdm

from edgeau.errors import CalibrationError, DependencyError
from edgeau_calibration.crops import central_crop, evenly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau.alignment import Alignment

__all__ = ["crops_of_shards", "shards_in"]

# Crops are taken from so many shards at most: every shard holds many identities, and opening all would read gigabytes.
_SHARDS = 16


def shards_in(folder: Path) -> list[Path]:
    """The shards of a split's folder, or of the training split of a data set's folder; empty for any other folder."""
    return sorted(folder.glob("shard-*.parquet")) or sorted((folder / "train").glob("shard-*.parquet"))


def crops_of_shards(shards: Sequence[Path], alignment: Alignment, wanted: int) -> list[NDArray[np.uint8]]:
    """Up to ``wanted`` crops, evenly spread over shards and rows; faces that were not detected have none.

    Returns:
        uint8 ``(size, size, 3)`` RGB each.

    Raises:
        DependencyError: pyarrow is not installed.
        CalibrationError: a shard is damaged or has no column ``crop``.
    """
    chosen = [shards[index] for index in evenly(len(shards), _SHARDS)]
    each = -(-wanted // len(chosen))
    bar = tqdm(chosen, desc="calibration crops", unit="shard", disable=None)
    crops = [crop for shard in bar for crop in _crops(shard, alignment, each)]
    return [crops[index] for index in evenly(len(crops), wanted)]


def _crops(shard: Path, alignment: Alignment, wanted: int) -> Iterator[NDArray[np.uint8]]:
    encoded = [value for value in _column(shard).to_pylist() if value is not None]
    for index in evenly(len(encoded), wanted):
        picture = cv2.imdecode(np.frombuffer(encoded[index], dtype=np.uint8), cv2.IMREAD_COLOR)
        if picture is None or picture.shape[0] not in (alignment.size, alignment.canvas):
            raise CalibrationError(
                f"{shard}: a crop is damaged or not of {alignment.canvas} pixels; render it again"
            )
        yield central_crop(picture.astype(np.uint8, copy=False), alignment.size)[..., ::-1]


def _column(shard: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DependencyError(
            f"reading {shard.name} needs pyarrow, which is not installed: pip install pyarrow"
        ) from error
    try:
        return parquet.read_table(shard, columns=["crop"]).column("crop")
    except (ArrowException, OSError, KeyError) as error:
        raise CalibrationError(f"{shard} cannot be read as a shard with a column 'crop' ({error})") from error
