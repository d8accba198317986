"""One table for labelled faces of one's own, read the same way for training, evaluation, calibration and export.

Columns: ``picture``, a path that starts in the table's folder; one a label, named ``AU12`` (or ``AU012``), ``AU12L``, or a word such
as ``smile``, with 1 present, 0 absent, and -1, 9, 999 or nothing where nobody labelled; and optionally ``person`` (never on both
sides of a division), ``clip`` (pictures of one sequence, in the order of the rows), ``split`` (``train``, ``val``, ``test``) and
``neutral`` (1 where the whole face is at rest, coded like a label).

A table whose columns cannot be understood is refused. A row that cannot be used is left out, and named.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.file_digest import file_digest
from edgeau.action_units.names import au_number_or_none, in_facs_order, written_label
from edgeau.errors import InputError

__all__ = [
    "UNKNOWN",
    "LabelledPictures",
    "label_table",
    "labelled_pictures",
    "read_labelled_pictures",
    "truth_from_codes",
]

UNKNOWN = -1  # a label that nobody labelled
SPLITS = ("train", "val", "test")

_COLUMNS = ("picture", "person", "clip", "split", "neutral")
# What other tables call these columns: taken for a free label, ``subject`` would let people stand on both sides.
_OTHER_NAMES = {
    "subject": "person",
    "participant": "person",
    "identity": "person",
    "user": "person",
    "id": "person",
    "video": "clip",
    "sequence": "clip",
    "image": "picture",
    "file": "picture",
    "filename": "picture",
    "frame": "picture",
    "path": "picture",
    "fold": "split",
    "set": "split",
}
_NAMED = "labels.csv"


@dataclass(frozen=True)
class LabelledPictures:
    """N pictures, and what is known of C labels in each.

    Attributes:
        table: the file.
        labels: AUs ascending by number, then other labels in the order of the columns.
        pictures: N paths, relative to the table's folder.
        truth: int8 ``(N, C)``: 1 present, 0 absent, -1 not labelled.
        person: N names; None where nobody says who is shown.
        clip: N names of sequences; None where pictures stand for themselves.
        split: N of ``train``, ``val``, ``test``; None where nobody divides.
        at_rest: bool ``(N,)``; None where the table has no column ``neutral``.
        digest: SHA-256 of the table, hex.
        problems: one line for everything that was left out, with its row.
        numbers: N rows of the table, its header being row 1.
    """

    table: Path
    labels: tuple[str, ...]
    pictures: tuple[str, ...]
    truth: NDArray[np.int8]
    person: tuple[str, ...] | None
    clip: tuple[str, ...] | None
    split: tuple[str, ...] | None
    at_rest: NDArray[np.bool_] | None
    digest: str
    problems: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    def path(self, row: int) -> Path:
        """The file of one picture."""
        return self.table.parent / self.pictures[row]

    def unreadable(self, row: int, error: Exception) -> str:
        """One line for a picture that cannot be read, with its row of the table."""
        return f"{self.table}, row {self.numbers[row]}: {error}"

    @property
    def groups(self) -> NDArray[np.int64]:
        """Numbers of what must never be divided, int64 ``(N,)``: persons, else clips, else pictures."""
        names = self.person or self.clip or self.pictures
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def select(self, rows: NDArray[np.integer[Any]] | Sequence[int]) -> LabelledPictures:
        """These pictures, in the given order."""

        def chosen(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
            return None if values is None else tuple(values[row] for row in rows)

        return replace(
            self,
            pictures=tuple(self.pictures[row] for row in rows),
            truth=self.truth[rows],
            person=chosen(self.person),
            clip=chosen(self.clip),
            split=chosen(self.split),
            at_rest=None if self.at_rest is None else self.at_rest[rows],
            numbers=tuple(self.numbers[row] for row in rows),
        )


def label_table(path: Path) -> Path | None:
    """The table that a path means: a ``.csv`` itself, a folder's ``labels.csv`` or its only ``.csv``; None where there is none."""
    if path.suffix.lower() == ".csv":
        return path
    if (path / _NAMED).is_file():
        return path / _NAMED
    tables = sorted(path.glob("*.csv"))
    return tables[0] if len(tables) == 1 else None


def read_labelled_pictures(table: Path) -> LabelledPictures:
    """Read a ``.csv`` with commas or semicolons.

    Raises:
        InputError: it is missing, no such table, or no row of it can be used; file, row and column are named.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
        delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except FileNotFoundError as error:
        raise InputError(f"{table} does not exist") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} cannot be read as a CSV file: {error}") from error
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if len(rows) < 2:
        raise InputError(f"{table} has no row below its header")
    return labelled_pictures(table, rows[0], rows[1:])


def labelled_pictures(table: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> LabelledPictures:
    """The pictures of a table that somebody read already.

    Args:
        table: the file; its folder is where pictures start.
        header: names of the columns, row 1 of the file.
        rows: cells as text, row 2 and following.

    Raises:
        InputError: as :func:`read_labelled_pictures`.
    """
    problems: list[str] = []
    names = [name.strip() for name in header]
    places, labels = _columns(table, names, problems)
    kept: list[tuple[int, list[str]]] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        cells = [cell.strip() for cell in row]
        problem = _problem(table, cells, names, places, seen)
        if problem:
            problems.append(f"{table}, row {number}: {problem}")
        else:
            seen[cells[places["picture"]]] = number
            kept.append((number, cells))
    if not kept:
        raise InputError(f"no row of {table} can be used: {problems[0]}")
    ordered = in_facs_order(labels)
    truth = np.array(
        [[_code(table, number, label, cells[labels[label]]) for label in ordered] for number, cells in kept],
        np.int8,
    )

    def column(name: str) -> tuple[str, ...] | None:
        return tuple(cells[places[name]] for _, cells in kept) if name in places else None

    rest = None
    if "neutral" in places:
        rest = [_code(table, number, "neutral", cells[places["neutral"]]) == 1 for number, cells in kept]
    pictures = column("picture")
    assert pictures is not None
    return LabelledPictures(
        table=table,
        labels=tuple(ordered),
        pictures=pictures,
        truth=truth,
        person=column("person"),
        clip=column("clip"),
        split=column("split"),
        at_rest=None if rest is None else np.array(rest),
        digest=file_digest(table),
        problems=tuple(problems),
        numbers=tuple(number for number, _ in kept),
    )


def truth_from_codes(codes: NDArray[Any], where: str) -> NDArray[np.int8]:
    """Codes 1 present, 0 absent and -1, 9, 999 or NaN not labelled, as int8 1 / 0 / -1.

    Raises:
        InputError: another code, which names the place: an unknown code must not pass for absent.
    """
    values = np.asarray(codes, np.float64)
    values = np.where(np.isnan(values) | np.isin(values, (-1, 9, 999)), UNKNOWN, values)
    unknown = values[~np.isin(values, (UNKNOWN, 0, 1))]
    if unknown.size:
        raise InputError(
            f"{where}: label {unknown.flat[0]:g} is not known; "
            "expected 1 present, 0 absent, and -1, 9, 999 or an empty cell for not labelled"
        )
    return values.astype(np.int8)


def _columns(table: Path, names: Sequence[str], problems: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Places of the known columns and of the labels; a label that appears twice is left out, and named."""
    places: dict[str, int] = {}
    labels: dict[str, int] = {}
    twice: dict[str, str] = {}
    for place, name in enumerate(names):
        if name in _COLUMNS:
            if name in places:
                raise InputError(f"{table}, row 1: the column {name} appears twice")
            places[name] = place
            continue
        label = _label(table, name, names)
        if label in labels or label in twice:
            twice[label] = name
            labels.pop(label, None)
        else:
            labels[label] = place
    if "picture" not in places:
        raise InputError(f"{table}, row 1: no column picture; it has {', '.join(names)}")
    problems += [f"{table}, row 1: {label} appears twice (again as {name!r}), so it is left out"
                 for label, name in twice.items()]  # fmt: skip
    if not labels:
        raise InputError(
            f"{table}, row 1: no column with labels, such as AU12 or smile; it has {', '.join(names)}"
        )
    return places, labels


def _label(table: Path, name: str, names: Sequence[str]) -> str:
    """The label that a column is of."""
    label = written_label(name)
    if au_number_or_none(label) is not None:
        return label
    plain = re.split(r"[^a-z]", name.lower())[0]
    near = [_OTHER_NAMES[plain]] if plain in _OTHER_NAMES else []
    near += [_OTHER_NAMES[plain[:-1]]] if plain[:-1] in _OTHER_NAMES else []
    near += difflib.get_close_matches(name.lower(), _COLUMNS, 1, 0.75)
    if near and near[0] in names and name.lower() != near[0]:
        near = []  # the column that it could be mistaken for is there
    if near or not name or not name.isprintable():
        meant = f" (the column {near[0]} may be meant)" if near else ""
        raise InputError(
            f"{table}, row 1: column {name!r} is not known{meant}; "
            f"known are {', '.join(_COLUMNS)}, AU1, AU2, ... and words for labels of your own"
        )
    return name


def _problem(
    table: Path,
    cells: Sequence[str],
    names: Sequence[str],
    places: Mapping[str, int],
    seen: Mapping[str, int],
) -> str:
    """Why a row cannot be used; "" where it can."""
    if len(cells) != len(names):
        return f"{len(cells)} cells instead of {len(names)}"
    picture = cells[places["picture"]]
    if not picture:
        return "no picture is named"
    if picture in seen:
        return f"{picture} appears twice (row {seen[picture]})"
    if not os.path.isfile(table.parent / picture):  # noqa: PTH113 - Path.is_file raises for names that no disk can hold
        return f"there is no picture {table.parent / picture}"
    if "person" in places and not cells[places["person"]]:
        return "the column person is empty, so the picture cannot be assigned to a split"
    if "split" in places and cells[places["split"]] not in SPLITS:
        return f"split {cells[places['split']]!r} is not known; known: {', '.join(SPLITS)}"
    return ""


def _code(table: Path, row: int, label: str, cell: str) -> int:
    where = f"{table}, row {row}, {label}"
    if not cell:
        return UNKNOWN
    try:
        number = float(cell)
    except ValueError as error:
        raise InputError(
            f"{where}: {cell!r} is not a label; 1 is present, 0 absent, -1, 9, 999 or nothing not labelled "
            "(a column that holds something else cannot be in this table)"
        ) from error
    return int(truth_from_codes(np.array(number), where))
