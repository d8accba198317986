"""Labelled pictures: a folder with pictures, and one CSV file or a ``labels.json`` that names them and their AUs."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import au_number
from edgeau.errors import InputError, UsageError
from edgeau.faces.landmarks import open_landmarker
from edgeau.sources.picture_file import read_picture
from edgeau_training.evaluation.faces.batch import FaceBatch, truth_from_codes

__all__ = ["PictureFolder"]

_PICTURE, _PERSON, _NEUTRAL = "picture", "person", "neutral"
# ``clip`` and ``split`` are read by training, of the same table.
_OTHER_COLUMNS = {_PICTURE, _PERSON, _NEUTRAL, "clip", "split"}
_JSON = "labels.json"
_MOST_FACES = 4  # looked for in a picture


class PictureFolder:
    """Pictures listed in the ``labels.json`` or the only ``.csv`` file of a folder, or in such a file itself.

    Columns: ``picture`` (path relative to the CSV file), AU labels (``AU1``, ``AU01`` ...) with 1 present, 0 absent, and
    -1, 9, 999 or nothing for not judged; optionally ``person``, any text, and ``neutral``, 1 where the whole face was
    labelled as at rest. The JSON file holds ``faces``, a list of ``{"file": ..., "au": {"12": 1, "4": 0}, "neutral": true}``. Landmarks are found in each picture; of several
    faces the largest is taken, and a picture without one is left out and counted.

    Raises:
        InputError: there is not exactly one CSV file, or it lacks a column, a row, or has an unknown code.
    """

    has_pictures = True

    def __init__(self, path: Path) -> None:
        self._table = path if path.is_file() else _only_table(path)
        rows = _json_rows(self._table) if self._table.suffix == ".json" else _rows(self._table)
        columns = _label_columns(rows[0], self._table)
        self.labels = tuple(columns)
        cells = [[_code(row[name], self._table, row) for name in columns.values()] for row in rows]
        self._truth = truth_from_codes(np.array(cells), str(self._table))
        self._pictures = [self._table.parent / row[_PICTURE] for row in rows]
        self._groups = _persons(rows)
        self._at_rest = _at_rest(rows)
        self.name = self._table.parent.name
        self.count = len(rows)
        self.digest = hashlib.sha256(self._table.read_bytes()).hexdigest()

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        """See :class:`~edgeau_training.evaluation.faces.batch.LabelledFaces`."""
        end = self.count if limit is None else min(limit, self.count)
        found = self._found(end)
        while chunk := list(islice(found, size)):
            rows = [row for row, _, _ in chunk]
            yield FaceBatch(
                np.stack([landmarks for _, landmarks, _ in chunk]),
                self._truth[rows],
                [picture for _, _, picture in chunk],
                None if self._groups is None else self._groups[rows],
                None if self._at_rest is None else self._at_rest[rows],
            )

    def _found(self, end: int) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.uint8]]]:
        with open_landmarker(static=True, max_faces=_MOST_FACES) as landmarker:
            for row in range(end):
                picture = read_picture(self._pictures[row])
                faces = landmarker.detect(picture)
                if faces:
                    yield row, max(faces, key=_extent), picture


def _extent(landmarks: NDArray[np.float32]) -> float:
    return float(np.prod(np.ptp(landmarks[:, :2], axis=0)))


def _only_table(folder: Path) -> Path:
    if (folder / _JSON).is_file():
        return folder / _JSON
    tables = sorted(folder.glob("*.csv"))
    if len(tables) != 1:
        found = ", ".join(table.name for table in tables) or "none"
        raise InputError(
            f"{folder} must hold a {_JSON}, or one CSV file with columns picture, AU1, ... (found: {found}); "
            "or name the CSV file itself as --data"
        )
    return tables[0]


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} cannot be read as a CSV file: {error}") from error
    if not rows:
        raise InputError(f"{table} has no row below its header")
    if _PICTURE not in rows[0]:
        raise InputError(f"{table} has no column 'picture'; it has {', '.join(map(str, rows[0]))}")
    return rows


def _json_rows(table: Path) -> list[dict[str, str]]:
    """The rows of the CSV form."""
    try:
        faces = json.loads(table.read_text("utf-8"))["faces"]
        named = [(face["file"], face["au"], bool(face.get("neutral"))) for face in faces]
        numbers = sorted({int(number) for _, labels, _ in named for number in labels})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{table} lists no labelled faces ({error!r}); expected "
            '{"faces": [{"file": "a.jpg", "au": {"12": 1}, "neutral": false}]}'
        ) from error
    if not numbers:
        raise InputError(f"{table} lists no face with a label")
    return [
        {_PICTURE: file, _NEUTRAL: str(int(rest))}
        | {f"AU{number}": str(labels.get(str(number), "")) for number in numbers}
        for file, labels, rest in named
    ]


def _label_columns(row: dict[str, str], table: Path) -> dict[str, str]:
    """Label to column name, ascending by AU number."""
    numbers: dict[int, str] = {}
    for name in row:
        if name in _OTHER_COLUMNS:
            continue
        try:
            number = au_number(name)
        except UsageError as error:
            raise InputError(
                f"{table}: column {name!r} is none of 'picture', 'person', 'clip', 'split', 'neutral' and no AU label"
            ) from error
        if number in numbers:
            raise InputError(f"{table}: AU{number} stands there twice ({numbers[number]}, {name})")
        numbers[number] = name
    if not numbers:
        raise InputError(f"{table} has no AU column; label columns look like AU1, AU12")
    return {f"AU{number}": numbers[number] for number in sorted(numbers)}


def _code(cell: str | None, table: Path, row: dict[str, str]) -> float:
    try:
        return float(cell) if cell and cell.strip() else float("nan")
    except ValueError as error:
        raise InputError(f"{table}, picture {row[_PICTURE]!r}: label {cell!r} is not a number") from error


def _at_rest(rows: list[dict[str, str]]) -> NDArray[np.bool_] | None:
    return np.array([row[_NEUTRAL] == "1" for row in rows]) if _NEUTRAL in rows[0] else None


def _persons(rows: list[dict[str, str]]) -> NDArray[np.int64] | None:
    if _PERSON not in rows[0]:
        return None
    return np.unique([row[_PERSON] for row in rows], return_inverse=True)[1].astype(np.int64)
