"""Labelled faces to measure on and to fit thresholds on: one split of a synthetic data set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.json_text import parse_json
from edgeau.errors import CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.crops import aligned_crops
from edgeau_calibration.data.shards import read_shard

__all__ = ["PRESENT_INTENSITY", "EncodedCrops", "EvaluationFaces", "labelled_faces", "labelled_splits"]

# Intensity from which an AU of a rendered face counts as present, 0..1.
PRESENT_INTENSITY = 0.3
_COLUMNS = ("crop", "aus", "landmarks")
_LANDMARKS = 478 * 3


class EncodedCrops:
    """Crops kept as picture files, decoded when they are taken: 4,000 faces are 60 MB as JPEG instead of 600.

    Args:
        files: one JPEG or PNG each.
        alignment: the template of the network.
        where: named in errors.
    """

    def __init__(self, files: Sequence[bytes], alignment: Alignment, where: str) -> None:
        self._files = files
        self._alignment = alignment
        self._where = where

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, chosen: slice) -> NDArray[np.uint8]:
        """Crops of a slice, uint8 ``(n, size, size, 3)`` RGB."""
        return aligned_crops(self._files[chosen], self._alignment, self._where)

    def every(self, step: int) -> EncodedCrops:
        """The first of every ``step`` crops, still encoded."""
        return EncodedCrops(self._files[::step], self._alignment, self._where)

    @property
    def digest(self) -> str:
        """SHA-256 over the files, hex."""
        state = hashlib.sha256()
        for file in self._files:
            state.update(file)
        return state.hexdigest()


@dataclass(frozen=True)
class EvaluationFaces:
    """Faces with known AUs.

    Attributes:
        crops: crops of n faces.
        present: bool ``(n, C)``.
        landmarks: float32 ``(n, 478, 3)``, in pixels of the picture that each crop was cut from; None where crops came ready.
        source: which data and split, for people and the manifest.
        known: bool ``(n, C)``, where somebody labelled; None means everywhere.
        problems: one line for every picture of a table that cannot be read, with its row.
    """

    crops: EncodedCrops
    present: NDArray[np.bool_]
    landmarks: NDArray[np.float32] | None
    source: str
    known: NDArray[np.bool_] | None = None
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.crops)

    def evenly(self, count: int) -> EvaluationFaces:
        """At most ``count`` of them, evenly spaced."""
        step = max(1, -(-len(self) // count))
        landmarks = None if self.landmarks is None else self.landmarks[::step]
        known = None if self.known is None else self.known[::step]
        return EvaluationFaces(self.crops.every(step), self.present[::step], landmarks, self.source, known)


def labelled_splits(folder: Path) -> bool:
    """Tell whether a folder is a synthetic data set with what is needed here: its description, ``val`` and ``test``."""
    return (folder / "dataset.json").is_file() and all(
        any((folder / split).glob("shard-*.parquet")) for split in ("val", "test")
    )


def labelled_faces(
    folder: Path, split: str, labels: Sequence[str], alignment: Alignment, limit: int | None = None
) -> EvaluationFaces:
    """The detected faces of a split.

    Args:
        folder: written by ``edgeau-synth``.
        split: ``"val"`` to fit on, ``"test"`` to measure on.
        labels: C AU labels wanted.
        alignment: the template of the network.
        limit: at most so many, from the front; None takes all.

    Raises:
        CalibrationError: not such a data set, damaged, or without one of the labels.
        DependencyError: pyarrow is not installed.
    """
    columns, known = _columns(folder, labels)
    files: list[bytes] = []
    rows: list[Any] = []
    points: list[Any] = []
    for shard in sorted((folder / split).glob("shard-*.parquet")):
        table = read_shard(shard, _COLUMNS)
        for crop, aus, landmarks in zip(*(table[name] for name in _COLUMNS), strict=True):
            if crop is not None and (limit is None or len(files) < limit):
                if aus is None or len(aus) != known or landmarks is None or len(landmarks) != _LANDMARKS:
                    raise CalibrationError(
                        f"{shard}: a face needs {known} AUs and {_LANDMARKS} numbers of landmarks, and one has "
                        f"{len(aus or ())} and {len(landmarks or ())}; make it again with edgeau-synth"
                    )
                files.append(crop)
                rows.append([aus[column] for column in columns])
                points.append(landmarks)
    if not files:
        raise CalibrationError(
            f"{folder} has no detected faces in its split {split!r}; make it with edgeau-synth"
        )
    return EvaluationFaces(
        crops=EncodedCrops(files, alignment, f"{folder}/{split}"),
        present=np.array(rows, np.float32) >= PRESENT_INTENSITY,
        landmarks=np.array(points, np.float32).reshape(len(points), -1, 3),
        source=f"synthetic faces of {folder.name}, split {split}",
    )


def _columns(folder: Path, labels: Sequence[str]) -> tuple[list[int], int]:
    """Places of the labels among the AUs of a data set, and how many these are."""
    try:
        known: list[str] = parse_json((folder / "dataset.json").read_text("utf-8"))["aus"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CalibrationError(
            f"{folder} is not a data set of edgeau-synth: dataset.json: {error}"
        ) from error
    missing = [label for label in labels if label not in known]
    if missing:
        raise CalibrationError(f"{folder} has no labels for {', '.join(missing)}; it has {', '.join(known)}")
    return [known.index(label) for label in labels], len(known)
