"""Samples for the landmark model: landmarks and AU intensities of one split of a synthetic data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.errors import InputError
from edgeau_training.synth.action_units import ACTIVE
from edgeau_training.synth.shards import dataset_info, read_split

__all__ = ["Samples", "SidedSamples", "read_samples", "read_sided_samples"]

_FEWEST = 200


@dataclass(frozen=True)
class Samples:
    """N faces in which MediaPipe found landmarks.

    Attributes:
        landmarks: float32 ``(N, 468, 3)``, pixels.
        intensities: float32 ``(N, C)``, 0..1.
        identities: int64 ``(N,)``.
    """

    landmarks: NDArray[np.float32]
    intensities: NDArray[np.float32]
    identities: NDArray[np.int64]

    @property
    def truth(self) -> NDArray[np.int8]:
        """int8 ``(N, C)``: 1 where the intensity is that of an occurring AU."""
        return (self.intensities >= ACTIVE).astype(np.int8)


@dataclass(frozen=True)
class SidedSamples:
    """The same faces with what each side shows.

    Attributes:
        labels: S AUs that have sides.
        landmarks: float32 ``(N, 468, 3)``, pixels.
        intensities: float32 ``(N, 2, S)``, 0..1, of the person's own left and right half.
        identities: int64 ``(N,)``.
    """

    labels: tuple[str, ...]
    landmarks: NDArray[np.float32]
    intensities: NDArray[np.float32]
    identities: NDArray[np.int64]

    @property
    def truth(self) -> NDArray[np.int8]:
        """int8 ``(N, 2, S)``: 1 where the intensity is that of an occurring AU."""
        return (self.intensities >= np.float32(ACTIVE)).astype(np.int8)

    @property
    def mean(self) -> NDArray[np.float32]:
        """Mean of both sides, ``(N, S)``."""
        return np.asarray(self.intensities.mean(axis=1))

    @property
    def half_difference(self) -> NDArray[np.float32]:
        """Left less right, halved, ``(N, S)``."""
        return np.asarray((self.intensities[:, 0] - self.intensities[:, 1]) / 2)


def read_sided_samples(
    data: Path, split: str, labels: Sequence[str], limit: int | None = None
) -> SidedSamples | None:
    """Read one split with sides, of those labels that have them; None where the set has no sides.

    Raises:
        InputError: as :func:`read_samples`.
    """
    info = dataset_info(data)
    wanted = tuple(label for label in labels if label in info.get("sided", ()))
    if not wanted:
        return None
    whole = read_samples(data, split, labels, limit)
    columns = read_split(data, split, ["detected", "sides"], limit)
    found = np.asarray(columns["detected"], bool)
    sides = np.asarray(columns["sides"])[found][:, :, [info["aus"].index(label) for label in wanted]]
    return SidedSamples(wanted, whole.landmarks, sides, whole.identities)


def read_samples(data: Path, split: str, labels: Sequence[str], limit: int | None = None) -> Samples:
    """Read one split; the set may still grow.

    Raises:
        InputError: the set lacks the split, a label, or has fewer than 200 faces in it.
    """
    names = dataset_info(data)["aus"]
    missing = [label for label in labels if label not in names]
    if missing:
        raise InputError(f"{data} has no {', '.join(missing)}; it has {', '.join(names)}")
    columns = read_split(data, split, ["identity", "detected", "landmarks", "aus"], limit)
    found = np.asarray(columns["detected"], bool)
    if found.sum() < _FEWEST:
        raise InputError(
            f"{data}: split {split!r} has {found.sum()} faces with landmarks; fitting needs {_FEWEST}"
        )
    aus = np.asarray(columns["aus"])[found][:, [names.index(label) for label in labels]]
    landmarks = np.asarray(columns["landmarks"])[found][:, :MESH_POINTS]
    return Samples(landmarks, aus, np.asarray(columns["identity"])[found].astype(np.int64))
