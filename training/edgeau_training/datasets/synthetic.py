"""The rendered faces of edgeau-synth: aligned crops, AU occurrence and intensity, and landmarks in the crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from edgeau._system.json_text import parse_json
from edgeau.errors import InputError
from edgeau.faces.alignment import alignment_matrix
from edgeau_training.augmentation import CANVAS
from edgeau_training.synth.action_units import ACTIVE

__all__ = ["SyntheticFaces", "list_shards"]

_POINTS = 468  # irises are not there on every landmark route
_COLUMNS = ["crop", "detected", "landmarks", "aus", "identity"]


@dataclass(frozen=True)
class SyntheticFaces:
    """One split, without the faces that were not detected.

    Attributes:
        labels: C AU labels.
        crops: JPEG of the aligned 256x256 crop, one a face.
        occurrence: uint8 ``(N, C)``, 0 or 1; every entry is known.
        intensity: float32 ``(N, C)``, 0..1.
        points: float32 ``(N, 468, 2)``, x y of the landmarks in crop pixels.
        identity: int32 ``(N,)``.
    """

    labels: tuple[str, ...]
    crops: list[bytes]
    occurrence: NDArray[np.uint8]
    intensity: NDArray[np.float32]
    points: NDArray[np.float32]
    identity: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.crops)

    def first(self, count: int) -> SyntheticFaces:
        """The first ``count`` faces, or all if there are fewer."""
        return SyntheticFaces(
            self.labels,
            self.crops[:count],
            self.occurrence[:count],
            self.intensity[:count],
            self.points[:count],
            self.identity[:count],
        )

    @classmethod
    def read(
        cls, folder: Path, split: str, labels: Sequence[str], shards: Sequence[str] | None = None
    ) -> SyntheticFaces:
        """Reads a split.

        Args:
            folder: what edgeau-synth wrote.
            split: ``train``, ``val`` or ``test``.
            labels: AU labels wanted, each known to the rig.
            shards: file names to read; None reads all.

        Raises:
            InputError: no such data, no faces, a damaged shard, or a label that the rig does not have.
        """
        columns = _columns_of(folder, labels)
        names = list_shards(folder, split) if shards is None else shards
        parts = [_read_shard(folder / split / name, columns) for name in names]
        if not sum(len(part[0]) for part in parts):
            raise InputError(f"{folder / split} holds no detected face; render some with edgeau-synth")
        crops = [crop for part in parts for crop in part[0]]
        intensity, points, identity = (np.concatenate([part[place] for part in parts]) for place in (1, 2, 3))
        occurrence = (intensity >= ACTIVE).astype(np.uint8)
        return cls(tuple(labels), crops, occurrence, intensity, points, identity)


def list_shards(folder: Path, split: str) -> list[str]:
    """Names of the complete shards of a split, in order.

    Raises:
        InputError: the split is not there.
    """
    names = sorted(path.name for path in (folder / split).glob("shard-*.parquet"))
    if not names:
        raise InputError(
            f"{folder / split} holds no shard-*.parquet; render the data set with edgeau-synth first"
        )
    return names


def _columns_of(folder: Path, labels: Sequence[str]) -> list[int]:
    """Find where each label stands in the rig's AU list."""
    path = folder / "dataset.json"
    if not path.is_file():
        raise InputError(f"{path} does not exist; {folder} is not a data set of edgeau-synth")
    try:
        known: list[str] = parse_json(path.read_text("utf-8"))["aus"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} has no list of AUs ({error}); it is damaged, render the data set again"
        ) from error
    missing = [label for label in labels if label not in known]
    if missing:
        raise InputError(f"{folder} has no labels for {' '.join(missing)}; it has {' '.join(known)}")
    return [known.index(label) for label in labels]


def _read_shard(
    path: Path, columns: list[int]
) -> tuple[list[bytes], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Crops, intensity ``(n, C)``, points ``(n, 468, 2)`` and identity ``(n,)`` of the detected faces of one shard."""
    try:
        table = pa.parquet.read_table(path, columns=_COLUMNS)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path} cannot be read as a shard of faces: {error}; remove it and render again"
        ) from error
    rows = table.filter(table["detected"]).combine_chunks()
    landmarks = _stacked(rows["landmarks"]).reshape(len(rows), -1, 3)[:, :_POINTS]
    intensity = _stacked(rows["aus"]).reshape(len(rows), -1)[:, columns]
    points = np.array([_in_crop(face) for face in landmarks], np.float32).reshape(-1, _POINTS, 2)
    return rows["crop"].to_pylist(), intensity, points, rows["identity"].to_numpy().astype(np.int32)


def _stacked(column: Any) -> NDArray[np.float32]:
    return np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False), np.float32)


def _in_crop(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    matrix = alignment_matrix(landmarks, CANVAS)
    return np.asarray(landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2], np.float32)
