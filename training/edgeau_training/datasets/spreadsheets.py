"""Tables with a header, from a spreadsheet or from its CSV export."""

from __future__ import annotations

import csv
from pathlib import Path

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, InputError

__all__ = ["read_table"]


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows as text; the first row below the header is row 2 of the file.

    Whole numbers come without a decimal point, whatever the spreadsheet stores them as.

    Args:
        path: ``.csv``, or a spreadsheet (``.xlsx``), of which the first sheet is read.

    Raises:
        InputError: the file is missing or cannot be read, has no row, or a row has another number of columns.
        DependencyError: the reader of spreadsheets is not installed.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _sheet_rows(path)
    while rows and not any(rows[-1]):
        rows.pop()
    if len(rows) < 2:
        raise InputError(f"{path} has no row below its header")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}, row {number}: {len(row)} columns instead of {len(rows[0])}")
    return rows[0], rows[1:]


def _csv_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [[cell.strip() for cell in row] for row in csv.reader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from error


def _sheet_rows(path: Path) -> list[list[str]]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise DependencyError(
            f"{path.name} is a spreadsheet, which needs python-calamine: {extra_line('train')}, "
            "or export the sheet as CSV and give that"
        ) from error
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise InputError(f"{path} cannot be read as a spreadsheet: {error}") from error
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
