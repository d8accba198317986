"""Labelled pictures: a table of them (see :mod:`edgeau.action_units.labelled_pictures`), or a ``labels.json``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.json_text import parse_json
from edgeau.action_units.labelled_pictures import (
    LabelledPictures,
    label_table,
    labelled_pictures,
    read_labelled_pictures,
)
from edgeau.errors import InputError
from edgeau.faces.landmarks import largest_face, open_landmarker
from edgeau.sources.picture_file import read_picture
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["PictureFolder"]

_JSON = "labels.json"
_MOST_FACES = 4  # looked for in a picture


class PictureFolder:
    """Pictures listed in a table, or in the ``labels.json``, ``labels.csv`` or only ``.csv`` file of a folder.

    The JSON file holds ``faces``, a list of ``{"file": ..., "au": {"12": 1, "4": 0}, "neutral": true}``. Landmarks are found in each picture; of several
    faces the largest is taken, and a picture without one is left out and counted.

    Args:
        path: the folder or the file.
        split: only the rows of this split; None takes all.

    Raises:
        InputError: there is no table, it cannot be used, or has no such split.
    """

    has_pictures = True

    def __init__(self, path: Path, split: str | None = None) -> None:
        table = _table(path)
        found = _read_json(table) if table.suffix == ".json" else read_labelled_pictures(table)
        self._found = found if split is None else _of_split(found, split)
        self.labels = found.labels
        self.name = table.parent.resolve().name + ("" if split is None else f"/{split}")
        self.count = len(self._found)
        self.digest = found.digest
        self._unreadable: list[str] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        return (*self._found.problems, *self._unreadable)

    @property
    def unreadable(self) -> int:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        return len(self._unreadable)

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        found = self._found
        groups = None if found.person is None else found.groups
        faces = self._faces(self.count if limit is None else min(limit, self.count))
        while chunk := list(islice(faces, size)):
            rows = [row for row, _, _ in chunk]
            yield FaceBatch(
                np.stack([landmarks for _, landmarks, _ in chunk]),
                found.truth[rows],
                [picture for _, _, picture in chunk],
                None if groups is None else groups[rows],
                None if found.at_rest is None else found.at_rest[rows],
                tuple(found.pictures[row] for row in rows),
            )

    def _faces(self, end: int) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.uint8]]]:
        with open_landmarker(static=True, max_faces=_MOST_FACES) as landmarker:
            for row in range(end):
                try:
                    picture = read_picture(self._found.path(row))
                except InputError as error:
                    self._unreadable.append(self._found.unreadable(row, error))
                    continue
                faces = landmarker.detect(picture)
                if faces:
                    yield row, largest_face(faces), picture


def _table(path: Path) -> Path:
    if path.is_file():
        return path
    if (path / _JSON).is_file():
        return path / _JSON
    table = label_table(path)
    if table is None:
        found = ", ".join(table.name for table in sorted(path.glob("*.csv"))) or "none"
        raise InputError(
            f"{path} must hold a {_JSON}, a labels.csv, or one CSV file with columns picture, AU1, ... (found: {found}); "
            "or name the CSV file itself as --data"
        )
    return table


def _of_split(found: LabelledPictures, split: str) -> LabelledPictures:
    if found.split is None:
        raise InputError(f"--split {split}: {found.table} has no column split")
    rows = [row for row, name in enumerate(found.split) if name == split]
    if not rows:
        known = ", ".join(sorted(set(found.split)))
        raise InputError(f"--split {split}: no row of {found.table} says so; its splits are {known}")
    return found.select(rows)


def _read_json(table: Path) -> LabelledPictures:
    """The rows of the CSV form."""
    try:
        faces = parse_json(table.read_text("utf-8"))["faces"]
        named = [(str(face["file"]), face["au"], bool(face.get("neutral"))) for face in faces]
        numbers = sorted({int(number) for _, labels, _ in named for number in labels})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{table} lists no labelled faces ({error!r}); expected "
            '{"faces": [{"file": "a.jpg", "au": {"12": 1}, "neutral": false}]}'
        ) from error
    if not numbers:
        raise InputError(f"{table} lists no face with a label")
    header = ["picture", "neutral", *(f"AU{number}" for number in numbers)]
    rows = [
        [file, str(int(rest)), *(str(labels.get(str(number), "")) for number in numbers)]
        for file, labels, rest in named
    ]
    return labelled_pictures(table, header, rows)
