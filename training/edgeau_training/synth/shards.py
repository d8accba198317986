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

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path
from edgeau._system.json_text import parse_json
from edgeau.errors import InputError

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


def dataset_info(root: str | Path) -> dict[str, Any]:
    """Return the contents of dataset.json. Raises InputError when there is none, or it is damaged or newer than this reader."""
    path = Path(root) / "dataset.json"
    if not path.is_file():
        raise InputError(
            f"{root}: no dataset.json there. Render a set with: edgeau-synth RIG --out {root} --count 1000"
        )
    try:
        info: dict[str, Any] = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); render the set again") from error
    if isinstance(info, dict) and info.get("version") not in range(1, FORMAT_VERSION + 1):
        raise InputError(
            f"{path}: format version {info.get('version')}; this reader knows 1 to {FORMAT_VERSION}."
        )
    if not isinstance(info, dict) or not isinstance(info.get("aus"), list):
        raise InputError(f"{path} has no list of AUs; it is damaged, render the set again")
    return info


def write_shard(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows (dictionaries with SCHEMA's keys) as one shard: complete, or not at all.

    Raises OutputError when the disk refuses; nothing is left behind then.
    """
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    with atomic_path(path) as temporary:
        # Pictures are compressed already; snappy over them only costs time.
        pq.write_table(table, temporary, compression="none", use_dictionary=False)


def read_split(
    root: str | Path, split: str, columns: Sequence[str] | None = None, limit: int | None = None
) -> dict[str, NDArray[Any] | list[bytes]]:
    """Return columns of a split: arrays of N rows, lists of bytes for image and crop.

    landmarks is (N, 478, 3) float32 (zeros where detected is False), aus (N, A), sides (N, 2, A), pose (N, 3); a missing
    crop is b"".
    columns: None for all; limit: at most so many rows. Works on a set that is still growing.
    Raises InputError when the split has no finished shard or a column is unknown.
    """
    wanted = list(columns) if columns is not None else _stored(root, split)
    unknown = [name for name in wanted if name not in SCHEMA.names]
    if unknown:
        raise InputError(f"No column {', '.join(unknown)}; there are {', '.join(SCHEMA.names)}.")
    tables: list[pa.Table] = []
    rows = 0
    for path in shard_paths(root, split):
        if limit is not None and rows >= limit:
            break
        tables.append(pq.read_table(path, columns=wanted))
        rows += tables[-1].num_rows
    if not tables:
        raise InputError(
            f"{root}: no finished shard of split {split!r}. Render first (edgeau-synth), or wait for one."
        )
    table = pa.concat_tables(tables)
    table = table.slice(0, limit) if limit is not None else table
    return {name: _column(table, name) for name in wanted}


def _stored(root: str | Path, split: str) -> list[str]:
    """The columns that a split's shards have."""
    paths = shard_paths(root, split)
    return list(pq.read_schema(paths[0]).names) if paths else list(SCHEMA.names)


def _column(table: pa.Table, name: str) -> NDArray[Any] | list[bytes]:
    column = table.column(name).combine_chunks()
    if name in _PICTURES:
        return [value or b"" for value in column.to_pylist()]
    if name not in _VECTORS:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return _vectors(column, _VECTORS[name])


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
