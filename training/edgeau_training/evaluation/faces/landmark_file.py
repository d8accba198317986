"""Labelled landmarks without pictures: one ``.npz`` with ``landmarks``, ``labels`` and ``aus``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.file_digest import file_digest
from edgeau._system.npz import read_npz
from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.action_units.labelled_pictures import truth_from_codes
from edgeau.action_units.names import labels as au_labels
from edgeau.errors import InputError, NpzError
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["LandmarkFile"]

_ARRAYS = ("landmarks", "labels", "aus")


class LandmarkFile:
    """A file with ``landmarks`` float ``(N, 468 or 478, 3)``, ``labels`` ``(N, C)`` and ``aus`` ``(C,)`` AU numbers.

    An optional ``groups`` ``(N,)`` numbers the persons.

    Raises:
        InputError: the file cannot be read, or an array is missing or of the wrong shape.
    """

    has_pictures = False
    problems = ()
    unreadable = 0

    def __init__(self, path: Path) -> None:
        arrays = _read(path)
        self._landmarks = _points(arrays["landmarks"], path)
        numbers = [int(number) for number in arrays["aus"].ravel()]
        expected = (len(self._landmarks), len(numbers))
        if arrays["labels"].shape != expected:
            raise InputError(
                f"{path}: labels are {arrays['labels'].shape}, landmarks and aus ask for {expected}"
            )
        order = np.argsort(numbers)
        self.labels = au_labels(numbers)
        self._truth = truth_from_codes(arrays["labels"], str(path))[:, order]
        self._groups = arrays["groups"].astype(np.int64) if "groups" in arrays else None
        self.name = path.name
        self.count = len(self._landmarks)
        self.digest = file_digest(path)

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        end = self.count if limit is None else min(limit, self.count)
        for start in range(0, end, size):
            rows = slice(start, min(start + size, end))
            groups = None if self._groups is None else self._groups[rows]
            yield FaceBatch(self._landmarks[rows], self._truth[rows], groups=groups)


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        arrays = read_npz(path)
    except NpzError as error:
        raise InputError(f"{path} cannot be read as a file of labelled landmarks (.npz): {error}") from error
    missing = [name for name in _ARRAYS if name not in arrays]
    if missing:
        raise InputError(
            f"{path} lacks {', '.join(missing)}; labelled landmarks need the arrays {', '.join(_ARRAYS)}, "
            f"the file has {', '.join(arrays)}"
        )
    return arrays


def _points(landmarks: NDArray[np.generic], path: Path) -> NDArray[np.float32]:
    shape = landmarks.shape
    if len(shape) != 3 or shape[1] < MESH_POINTS or shape[2] != 3 or not len(landmarks):
        raise InputError(
            f"{path}: landmarks are {shape}, expected (faces, 468 or 478, 3) with at least one face"
        )
    return landmarks.astype(np.float32)
