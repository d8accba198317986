"""What every labelled data set gives: faces in batches, with their truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError

__all__ = ["FaceBatch", "LabelledFaces", "truth_from_codes"]


@dataclass(frozen=True)
class FaceBatch:
    """N faces.

    Attributes:
        landmarks: float32 ``(N, 468 or 478, 3)``, x y z in pixels of each face's picture.
        truth: int8 ``(N, C)`` in the data set's label order: 1 present, 0 absent, -1 not judged.
        pictures: N uint8 ``(H, W, 3)`` BGR, or None where the data set has landmarks only.
        groups: int64 ``(N,)`` numbers of persons, or None where they are not known.
        at_rest: bool ``(N,)``: the whole face was labelled as at rest, or None where the data set does not say.
    """

    landmarks: NDArray[np.float32]
    truth: NDArray[np.int8]
    pictures: list[NDArray[np.uint8]] | None = None
    groups: NDArray[np.int64] | None = None
    at_rest: NDArray[np.bool_] | None = None


class LabelledFaces(Protocol):
    """A labelled data set, read as a stream so that memory does not grow with it."""

    @property
    def name(self) -> str:
        """Which data and split, for reports."""

    @property
    def digest(self) -> str:
        """SHA-256, hex, of what identifies the data."""

    @property
    def labels(self) -> tuple[str, ...]:
        """AU labels in column order of the truth."""

    @property
    def count(self) -> int:
        """How many faces there are to look at, detected or not."""

    @property
    def has_pictures(self) -> bool:
        """Whether batches carry pictures."""

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """Batches of at most ``size`` faces, from the first ``limit`` ones; faces that were not found are left out."""


def truth_from_codes(codes: NDArray[Any], where: str) -> NDArray[np.int8]:
    """Codes 1 present, 0 absent and -1, 9, 999 or an empty cell (NaN) not judged, as int8 1 / 0 / -1.

    Raises:
        InputError: another code, which names the place: an unknown code must not pass for absent.
    """
    values = np.asarray(codes, np.float64)
    values = np.where(np.isnan(values) | np.isin(values, (-1, 9, 999)), -1, values)
    unknown = values[~np.isin(values, (-1, 0, 1))]
    if unknown.size:
        raise InputError(
            f"{where}: label {unknown.flat[0]:g} is not known; "
            "expected 1 present, 0 absent, and -1, 9, 999 or an empty cell for not judged"
        )
    return values.astype(np.int8)
