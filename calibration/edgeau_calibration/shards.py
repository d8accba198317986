"""Calibration crops from a synthetic data set: the aligned crops of its training split, read from Parquet shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tqdm import tqdm

from edgeau.errors import CalibrationError, DependencyError
from edgeau_calibration.crops import evenly

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["encoded_crops", "shards_in"]

# Crops are taken from so many shards at most: every shard holds many identities, and opening all would read gigabytes.
_SHARDS = 16


def shards_in(folder: Path) -> list[Path]:
    """The shards of a split's folder, or of the training split of a data set's folder; empty for any other folder."""
    return sorted(folder.glob("shard-*.parquet")) or sorted((folder / "train").glob("shard-*.parquet"))


def encoded_crops(shards: Sequence[Path], wanted: int) -> list[bytes]:
    """JPEG files of up to ``wanted`` crops, evenly spread over shards and rows; faces that were not detected have none.

    Raises:
        DependencyError: pyarrow is not installed.
        CalibrationError: a shard is damaged or has no column ``crop``.
    """
    chosen = [shards[index] for index in evenly(len(shards), _SHARDS)]
    each = -(-wanted // len(chosen))
    crops: list[bytes] = []
    for shard in tqdm(chosen, desc="calibration crops", unit="shard", disable=None):
        column = _column(shard)
        crops += [column[index] for index in evenly(len(column), each)]
    return [crops[index] for index in evenly(len(crops), wanted)]


def _column(shard: Path) -> list[bytes]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DependencyError(
            f"reading {shard.name} needs pyarrow, which is not installed: pip install pyarrow"
        ) from error
    try:
        values = parquet.read_table(shard, columns=["crop"]).column("crop").to_pylist()
    except (ArrowException, OSError, KeyError) as error:
        raise CalibrationError(f"{shard} cannot be read as a shard with a column 'crop' ({error})") from error
    return [value for value in values if value is not None]
