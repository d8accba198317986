"""The rendered faces of edgeau-synth: aligned crops, AU occurrence and intensity, and landmarks in the crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.alignment import alignment_matrix
from edgeau_training.augmentation import CANVAS
from edgeau_training.synth.action_units import ACTIVE
from edgeau_training.synth.shards import dataset_info, finished_shards, numbers_of, pictures_of, read_rows

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
        """Read a split.

        Args:
            folder: what edgeau-synth wrote.
            split: ``train``, ``val`` or ``test``.
            labels: AU labels wanted, each known to the rig.
            shards: file names to read; None reads all.

        Raises:
            InputError: no such data, no faces, a damaged shard, or a label that the rig does not have.
        """
        known = dataset_info(folder)["aus"]
        missing = [label for label in labels if label not in known]
        if missing:
            raise InputError(f"{folder} has no labels for {' '.join(missing)}; it has {' '.join(known)}")
        paths = (
            finished_shards(folder, split) if shards is None else [folder / split / name for name in shards]
        )
        found = [rows.filter(rows.column("detected")) for path in paths for rows in read_rows(path, _COLUMNS)]
        if not sum(map(len, found)):
            raise InputError(f"{folder / split} holds no detected face; render some with edgeau-synth")
        table = pa.Table.from_batches(found)
        intensity = numbers_of(table, "aus")[:, [known.index(label) for label in labels]]
        return cls(
            tuple(labels),
            pictures_of(table, "crop"),
            (intensity >= ACTIVE).astype(np.uint8),
            intensity,
            np.array([_in_crop(face) for face in numbers_of(table, "landmarks")[:, :_POINTS]], np.float32),
            numbers_of(table, "identity").astype(np.int32),
        )


def list_shards(folder: Path, split: str) -> list[str]:
    """File names of the finished shards of a split, in order.

    Raises:
        InputError: there is none.
    """
    return [path.name for path in finished_shards(folder, split)]


def _in_crop(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    matrix = alignment_matrix(landmarks, CANVAS)
    return np.asarray(landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2], np.float32)
