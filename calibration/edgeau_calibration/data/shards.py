"""Calibration crops from a synthetic data set: the aligned crops of its training split, read from Parquet shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import LINES
from edgeau._system.progress import progress_bar
from edgeau.errors import CalibrationError, DependencyError
from edgeau_calibration.data.crops import evenly

__all__ = ["encoded_crops", "read_shard", "shards_in"]

_NUMBERS = "lists of floating-point numbers"
_LISTS = ("is_list", "is_large_list", "is_fixed_size_list")
# What each column holds, and the tests of pyarrow.types of which one must pass.
_KINDS = {
    "crop": ("the bytes of pictures", ("is_binary", "is_large_binary")),
    "identity": ("integers", ("is_integer",)),
    "aus": (_NUMBERS, _LISTS),
    "landmarks": (_NUMBERS, _LISTS),
}
# Crops are taken from so many shards at most: every shard holds many identities, and opening all would read gigabytes.
_SHARDS = 16


def shards_in(folder: Path) -> list[Path]:
    """A shard itself, or those of a split's folder, or of the training split of a data set's folder; empty for anything else."""
    if folder.suffix.lower() == ".parquet" and folder.is_file():
        return [folder]
    return sorted(folder.glob("shard-*.parquet")) or sorted((folder / "train").glob("shard-*.parquet"))


def encoded_crops(shards: Sequence[Path], wanted: int) -> tuple[list[bytes], NDArray[np.int64] | None]:
    """Up to ``wanted`` crops, evenly spread over shards and rows; faces that were not detected have none.

    Returns:
        Their JPEG files, and who each shows, ``(n,)``; None where the shards do not say.

    Raises:
        DependencyError: pyarrow is not installed.
        CalibrationError: a shard is damaged or has no column ``crop``.
    """
    chosen = [shards[index] for index in evenly(len(shards), _SHARDS)]
    each = -(-wanted // len(chosen))
    rows: list[tuple[bytes, int | None]] = []
    for shard in progress_bar(chosen, desc="calibration crops", unit="shard"):
        found = _rows(shard)
        rows += [found[index] for index in evenly(len(found), each)]
    rows = [rows[index] for index in evenly(len(rows), wanted)]
    persons = [person for _, person in rows if person is not None]
    known = len(persons) == len(rows)
    return [file for file, _ in rows], np.array(persons, np.int64) if known else None


def _rows(shard: Path) -> list[tuple[bytes, int | None]]:
    """JPEG file and identity of every face that has a crop."""
    table = read_shard(shard, ("crop",), ("identity",))
    persons = table.get("identity", [None] * len(table["crop"]))
    return [(crop, person) for crop, person in zip(table["crop"], persons, strict=True) if crop is not None]


def read_shard(shard: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Columns of a Parquet shard as plain values, by name.

    Args:
        shard: that edgeau-synth wrote.
        columns: that must be there; of ``crop``, ``identity``, ``aus`` and ``landmarks``.
        optional: that are read where they are.

    Raises:
        DependencyError: pyarrow is not installed.
        CalibrationError: it is damaged, or lacks a column, or one holds something else.
    """
    try:
        from pyarrow import ArrowException, parquet, types
    except ImportError as error:
        raise DependencyError(
            f"reading {shard.name} needs pyarrow, which is not installed: {LINES['pyarrow']}"
        ) from error
    try:
        file = parquet.ParquetFile(shard)
        there = [*columns, *(name for name in optional if name in file.schema_arrow.names)]
        for name in (name for name in there if name in file.schema_arrow.names):
            type_ = file.schema_arrow.field(name).type
            kind, tests = _KINDS[name]
            fits = any(getattr(types, test)(type_) for test in tests)
            if not fits or (kind == _NUMBERS and not types.is_floating(type_.value_type)):
                raise CalibrationError(
                    f"{shard}: its column {name} holds {type_}, a shard of faces has {kind}; make it again with edgeau-synth"
                )
        table: dict[str, list[Any]] = file.read(columns=there).to_pydict()
        return {name: table[name] for name in there}
    except (ArrowException, OSError, KeyError) as error:
        plural = "column" if len(columns) == 1 else "columns"
        raise CalibrationError(
            f"{shard} cannot be read as a shard with the {plural} {', '.join(columns)} ({error})"
        ) from error
