"""A split of a synthetic data set, as ``edgeau-synth`` writes it.

Faces that MediaPipe did not find are left out, as they would be on a device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from edgeau.errors import InputError
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.synth.action_units import ACTIVE
from edgeau_training.synth.rows import decode
from edgeau_training.synth.shards import (
    count_rows,
    dataset_info,
    finished_shards,
    numbers_of,
    pictures_of,
    read_rows,
)
from edgeau_training.synth.splits import SPLITS

__all__ = ["SyntheticSplit"]

# Rig intensity below which nothing of an AU is seen; a face with all of them below it is at rest.
_AT_REST = 0.1
_COLUMNS = ["identity", "image", "detected", "landmarks", "aus"]


class SyntheticSplit:
    """One split of a synthetic data set's folder; an AU is present where its rig intensity is at least 0.3.

    Raises:
        InputError: the description is of another version, the split does not exist, or holds no finished shard.
    """

    has_pictures = True
    problems = ()
    unreadable = 0

    def __init__(self, folder: Path, split: str) -> None:
        info = dataset_info(folder)
        self._shards = _shards(folder, split)
        self.labels = tuple(info["aus"])
        self.count = sum(map(count_rows, self._shards))
        self.name = f"{folder.resolve().name}/{split}"
        self.digest = _digest(folder, self._shards)

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        left = self.count if limit is None else limit
        for shard in self._shards:
            for rows in read_rows(shard, _COLUMNS, size):
                part = rows.slice(0, left)
                left -= len(part)
                found = part.filter(part.column("detected"))
                if len(found):
                    yield _batch(found)
                if left <= 0:
                    return


def _shards(folder: Path, split: str) -> list[Path]:
    if split not in SPLITS:
        raise InputError(f"{folder} has no split {split!r}; it has {', '.join(SPLITS)}")
    return finished_shards(folder, split)


def _digest(folder: Path, shards: list[Path]) -> str:
    """Digest of the description and of which shards there are: rendering is reproducible, so these say all."""
    digest = hashlib.sha256((folder / "dataset.json").read_bytes())
    for shard in shards:
        digest.update(f"{shard.name} {shard.stat().st_size}\n".encode())
    return digest.hexdigest()


def _batch(rows: pa.RecordBatch) -> FaceBatch:
    intensities = numbers_of(rows, "aus")
    truth = (intensities >= ACTIVE).astype(np.int8)
    pictures = [decode(value) for value in pictures_of(rows, "image")]
    persons = numbers_of(rows, "identity").astype(np.int64)
    return FaceBatch(
        numbers_of(rows, "landmarks"), truth, pictures, persons, intensities.max(axis=1) < _AT_REST
    )
