"""Batches of faces with their truth, which every labelled data set gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["FaceBatch", "LabelledFaces"]


@dataclass(frozen=True)
class FaceBatch:
    """N faces.

    Attributes:
        landmarks: float32 ``(N, 468 or 478, 3)``, x y z in pixels of each face's picture; None of aligned crops.
        truth: int8 ``(N, C)`` in the data set's label order: 1 present, 0 absent, -1 not labelled.
        pictures: N uint8 ``(H, W, 3)`` BGR, or None where the data set has landmarks only.
        groups: int64 ``(N,)`` numbers of persons, or None where they are not known.
        at_rest: bool ``(N,)``: the whole face was labelled as at rest, or None where the data set does not say.
        names: N pictures as the data set calls them, or None where it does not.
        aligned: the pictures are square crops of aligned faces already.
    """

    landmarks: NDArray[np.float32] | None
    truth: NDArray[np.int8]
    pictures: list[NDArray[np.uint8]] | None = None
    groups: NDArray[np.int64] | None = None
    at_rest: NDArray[np.bool_] | None = None
    names: tuple[str, ...] | None = None
    aligned: bool = False


class LabelledFaces(Protocol):
    """A labelled data set, read as a stream so that memory does not grow with it."""

    @property
    def name(self) -> str:
        """Data set and split, for reports."""

    @property
    def digest(self) -> str:
        """SHA-256, hex, of what identifies the data."""

    @property
    def labels(self) -> tuple[str, ...]:
        """AU labels in column order of the truth."""

    @property
    def count(self) -> int:
        """Number of faces to look at, detected or not."""

    @property
    def has_pictures(self) -> bool:
        """True where batches carry pictures."""

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for everything that was named in the data and is left out; grows while batches are read."""

    @property
    def unreadable(self) -> int:
        """Count the faces left out so far because their picture is damaged."""

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """Batches of at most ``size`` faces, from the first ``limit`` ones; faces that were not found are left out."""
