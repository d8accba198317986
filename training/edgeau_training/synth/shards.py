"""The data set folder: dataset.json and Parquet shards, written atomically, readable while it grows.

    DATA/dataset.json                    version, generator version, rig digest, seed, counts, AUs, size, split rule
    DATA/{train,val,test}/shard-00000.parquet     at most 500 rows each

Columns: index int64 (number of the sample, unique over the splits); identity, texture int32; seed int64;
image binary (JPEG, RGB content, the whole picture); crop binary (JPEG of the 256-pixel aligned face, null when no
face was found); detected bool; landmarks list<float32> (478 x 3, x y z in pixels of image; null when not detected);
aus list<float32> (intensity 0..1 in dataset.json's order); sides list<float32> (the same for the person's own left half, then
for the right one; dataset.json lists the AUs that have sides); pose list<float32> (pitch, yaw, roll in degrees).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path
from edgeau._system.json_text import parse_json
from edgeau.errors import InputError

__all__ = [
    "FORMAT_VERSION",
    "LANDMARKS",
    "SCHEMA",
    "SHARD_ROWS",
    "count_rows",
    "dataset_info",
    "finished_shards",
    "numbers_of",
    "pictures_of",
    "read_rows",
    "read_split",
    "shard_path",
    "shard_paths",
    "write_shard",
]

FORMAT_VERSION = 2  # 1 had no sides; it is still read
SHARD_ROWS = 500
LANDMARKS = 478
SCHEMA = pa.schema([
    ("index", pa.int64()), ("identity", pa.int32()), ("texture", pa.int32()), ("seed", pa.int64()),
    ("image", pa.binary()), ("crop", pa.binary()), ("detected", pa.bool_()),
    ("landmarks", pa.list_(pa.float32())), ("aus", pa.list_(pa.float32())),
    ("sides", pa.list_(pa.float32())), ("pose", pa.list_(pa.float32())),
])  # fmt: skip
_PICTURES = ("image", "crop")
_VECTORS = {"landmarks": (LANDMARKS, 3), "aus": (-1,), "sides": (2, -1), "pose": (-1,)}


def shard_path(root: str | Path, split: str, number: int) -> Path:
    """Return where shard number of a split lies."""
    return Path(root) / split / f"shard-{number:05d}.parquet"


def shard_paths(root: str | Path, split: str) -> list[Path]:
    """Return the finished shards of a split, in order; an unfinished one is never among them."""
    return sorted((Path(root) / split).glob("shard-[0-9][0-9][0-9][0-9][0-9].parquet"))


def finished_shards(root: str | Path, split: str) -> list[Path]:
    """The finished shards of a split, in order; at least one.

    Raises:
        InputError: there is none.
    """
    paths = shard_paths(root, split)
    if not paths:
        raise InputError(
            f"{root}: no finished shard of split {split!r}; render it first with edgeau-synth, or wait for one"
        )
    return paths


def dataset_info(root: str | Path) -> dict[str, Any]:
    """The contents of dataset.json.

    Raises:
        InputError: there is none, or it is damaged or newer than this reader.
    """
    path = Path(root) / "dataset.json"
    if not path.is_file():
        raise InputError(
            f"{root}: no dataset.json there. Render a set with: edgeau-synth RIG --out {root} --count 1000"
        )
    try:
        info = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); render the set again") from error
    version = info.get("version") if isinstance(info, dict) else None
    if version is not None and version not in range(1, FORMAT_VERSION + 1):
        raise InputError(f"{path}: format version {version}; this reader knows 1 to {FORMAT_VERSION}.")
    if version is None or not isinstance(info.get("aus"), list):
        raise InputError(f"{path} has no version or no list of AUs; it is damaged, render the set again")
    return dict(info)


def write_shard(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows (dictionaries with SCHEMA's keys) as one shard: complete, or not at all.

    Raises OutputError when the disk refuses; nothing is left behind then.
    """
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    with atomic_path(path) as temporary:
        # Pictures are compressed already; snappy over them only costs time.
        pq.write_table(table, temporary, compression="none", use_dictionary=False)


def count_rows(path: Path) -> int:
    """The number of rows of a shard, read from its end alone.

    Raises:
        InputError: it is damaged.
    """
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def read_rows(
    path: Path, columns: Sequence[str] | None = None, size: int = SHARD_ROWS
) -> Iterator[pa.RecordBatch]:
    """Rows of a shard.

    Args:
        path: of the shard.
        columns: names of ``SCHEMA``; None for all that the shard has.
        size: most rows of one batch, and thus in memory.

    Raises:
        InputError: the shard is damaged, lacks a column, or has one of another kind than ``SCHEMA``.
    """
    with _opened(path) as file:
        lacking = sorted(set(columns or ()) - set(file.schema_arrow.names))
        if lacking:
            raise InputError(
                f"{path} has no column {', '.join(lacking)}; it has {', '.join(file.schema_arrow.names)}"
            )
        _check_kinds(path, file.schema_arrow, columns)
        for rows in file.iter_batches(size, columns=None if columns is None else list(columns)):
            _check_lengths(path, rows)
            yield rows


def read_split(
    root: str | Path, split: str, columns: Sequence[str] | None = None, limit: int | None = None
) -> dict[str, NDArray[Any] | list[bytes]]:
    """Columns of a split, also while it grows.

    Args:
        root: folder of the data set.
        split: ``train``, ``val`` or ``test``.
        columns: names of ``SCHEMA``; None for all that the shards have.
        limit: at most so many rows; None for all.

    Returns:
        :func:`numbers_of` and :func:`pictures_of` each column.

    Raises:
        InputError: the split has no finished shard, one is damaged, or a column is not there.
    """
    batches: list[pa.RecordBatch] = []
    left = limit
    for path in finished_shards(root, split):
        for rows in read_rows(path, columns):
            batches.append(rows.slice(0, left))
            left = None if left is None else left - len(batches[-1])
        if left == 0:
            break
    table = pa.Table.from_batches(batches)
    return {
        name: pictures_of(table, name) if name in _PICTURES else numbers_of(table, name)
        for name in table.column_names
    }


def pictures_of(rows: pa.Table | pa.RecordBatch, name: str) -> list[bytes]:
    """The JPEG files of ``image`` or ``crop``; b"" for a crop that is not there."""
    return [value or b"" for value in rows.column(name).to_pylist()]


def numbers_of(rows: pa.Table | pa.RecordBatch, name: str) -> NDArray[Any]:
    """A column of numbers.

    Args:
        rows: N rows.
        name: any column but ``image`` and ``crop``.

    Returns:
        ``(N,)``, of the type in ``SCHEMA``; or float32: landmarks ``(N, 478, 3)``, 0 where no face was found, aus ``(N, A)``,
        sides ``(N, 2, A)``, pose ``(N, 3)``.

    Raises:
        InputError: the rows are of shards that have lists of different lengths.
    """
    column = rows.column(name)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if name not in _VECTORS:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    lengths = _lengths(column)
    if len(lengths) > 1:
        raise InputError(
            f"the column {name} has lists of {' and '.join(map(str, lengths))} numbers in different shards: they are of different data "
            "sets; render one set into one folder"
        )
    return _vectors(column, _VECTORS[name])


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path} cannot be read as a shard of faces: {error}; remove it and render again"
        ) from error


def _check_kinds(path: Path, schema: pa.Schema, columns: Sequence[str] | None) -> None:
    """Refuse columns of another kind; other widths of numbers are read too."""
    for field in schema:
        if field.name not in SCHEMA.names or (columns is not None and field.name not in columns):
            continue
        expected = SCHEMA.field(field.name).type
        if _kind(field.type) != _kind(expected):
            raise InputError(
                f"{path}: its column {field.name} holds {field.type}, a shard of faces has {expected}; remove it and render again"
            )


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return "bytes"
    if pa.types.is_integer(type_):
        return "integer"
    lists = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    return "numbers" if lists and pa.types.is_floating(type_.value_type) else str(type_)


def _check_lengths(path: Path, rows: pa.RecordBatch) -> None:
    """Refuse lists of numbers that differ in length from row to row, or that are no points or sides."""
    for name, shape in _VECTORS.items():
        if name not in rows.schema.names:
            continue
        lengths = _lengths(rows.column(name))
        unit = math.prod(abs(side) for side in shape)
        fit = all(one == unit if -1 not in shape else one and one % unit == 0 for one in lengths)
        if len(lengths) > 1 or not fit:
            found = " and ".join(map(str, lengths))
            wanted = f"{unit} numbers" if -1 not in shape else f"equal ones of a multiple of {unit}"
            raise InputError(
                f"{path}: its column {name} has lists of {found} numbers, a shard of faces has {wanted}; remove it and render again"
            )


def _lengths(column: Any) -> list[int]:
    """The different lengths of lists, ascending."""
    return sorted(set(pc.list_value_length(column).drop_null().to_pylist()))


def _vectors(column: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    present = np.asarray(column.is_valid())
    values = np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float32)
    if present.any():
        values = values.reshape(int(present.sum()), *shape)
    else:
        values = np.zeros((0, *(max(side, 0) for side in shape)), np.float32)
    filled = np.zeros((len(column), *values.shape[1:]), np.float32)
    filled[present] = values
    return filled
