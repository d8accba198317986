"""The files that EmotioNet's labels come in: the expert spreadsheet, the large noisy text files, SIAT's flat list.

Spreadsheet: columns ``URL``, the original URL, and one per AU whose header carries apostrophes (``'AU 1'`` to
``'AU 60'``); the URLs end with a stray apostrophe too. Noisy files (``dataFile_*.txt``, about 950,000 rows): tab-separated
URL, original URL and 60 values, without a header. Flat list: a picture's name and 23 values in ascending AU order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import au_number
from edgeau.errors import InputError
from edgeau_training.datasets import label_codes
from edgeau_training.datasets.number_rows import read_lines, whole_numbers
from edgeau_training.datasets.spreadsheets import read_table

__all__ = ["LabelRows", "read_label_rows"]

_AUS = 60  # columns of the noisy files, one per AU number
_HEADER = re.compile(r"AU\s*(\d+)")
_QUOTES = " \t'\"\u2019"


@dataclass(frozen=True)
class LabelRows:
    """Labels of one file.

    Attributes:
        path: path of the file.
        first: row of the file that the first label stands in.
        linked: pictures were given as links, many of which are dead; else the list was made of pictures that are there.
        names: file names of N pictures.
        occurrence: int8 ``(N, C)``.
        mask: int8 ``(N, C)``.
    """

    path: Path
    first: int
    linked: bool
    names: list[str]
    occurrence: NDArray[np.int8]
    mask: NDArray[np.int8]


def read_label_rows(path: Path, labels: Sequence[str]) -> list[LabelRows]:
    """The labels in one file, or in every ``dataFile_*.txt`` of a folder.

    Raises:
        InputError: nothing is there, or a row is damaged; the message names file and row.
    """
    if path.is_dir():
        files = sorted(path.glob("dataFile_*.txt"))
        if not files:
            raise InputError(
                f"{path} holds no dataFile_*.txt; give that folder, the spreadsheet or a flat list"
            )
        return [_text_file(file, labels) for file in files]
    if path.suffix.lower() == ".txt":
        return [_text_file(path, labels)]
    return [_spreadsheet(path, labels)]


def _spreadsheet(path: Path, labels: Sequence[str]) -> LabelRows:
    header, rows = read_table(path)
    header = [cell.strip(_QUOTES) for cell in header]
    numbers = {
        int(match[1]): place for place, cell in enumerate(header) if (match := _HEADER.fullmatch(cell))
    }
    lacking = [label for label in labels if au_number(label) not in numbers]
    if "URL" not in header or lacking:
        raise InputError(
            f"{path}, row 1: expected a column URL and columns 'AU 1' to 'AU 60', "
            f"but {' '.join(lacking) if lacking else 'URL'} is not there"
        )
    columns = [numbers[au_number(label)] for label in labels]
    names = [_name(row[header.index("URL")]) for row in rows]
    cells = [[row[column] for column in columns] for row in rows]
    return _decoded(path, names, cells, labels, first=2, linked=True)


def _text_file(path: Path, labels: Sequence[str]) -> LabelRows:
    lines = [line.split() for line in read_lines(path)]
    linked = any("://" in field for field in lines[0][:1])
    fields = 2 + _AUS if linked else 1 + len(labels)
    picked = [1 + au_number(label) for label in labels] if linked else range(1, 1 + len(labels))
    for number, line in enumerate(lines, start=1):
        if len(line) != fields:
            raise InputError(f"{path}, row {number}: {len(line)} columns instead of {fields}")
    cells = [[line[place] for place in picked] for line in lines]
    return _decoded(path, [_name(line[0]) for line in lines], cells, labels, first=1, linked=linked)


def _decoded(
    path: Path, names: list[str], cells: list[list[str]], labels: Sequence[str], *, first: int, linked: bool
) -> LabelRows:
    def where(row: int, column: int) -> str:
        return f"{path}, row {row + first}, {labels[column]}"

    occurrence, mask = label_codes.EMOTIONET.decode(whole_numbers(cells, where, label_codes.EMOTIONET), where)
    for row, name in enumerate(names):
        if not name:
            raise InputError(f"{path}, row {row + first}: no picture is named")
    return LabelRows(path, first, linked, names, occurrence, mask)


def _name(url: str) -> str:
    """The picture's file name: the last part of its URL, without the stray apostrophe."""
    return url.strip(_QUOTES).rsplit("/", 1)[-1]
