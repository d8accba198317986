"""Label files that are rows of whole numbers: read fast, and a fault in them named with its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.label_codes import LabelCode

__all__ = ["read_lines", "read_number_rows", "whole_numbers"]


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without empty ones at its end.

    Raises:
        InputError: the file is missing, cannot be read, or holds no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}") from error
    lines = text.rstrip().splitlines()
    if not lines:
        raise InputError(f"{path} is empty")
    return lines


def read_number_rows(path: Path, columns: int | None = None, header: int = 0) -> NDArray[np.int64]:
    """Rows of comma-separated whole numbers, int64 ``(N, columns)``.

    Args:
        path: path of the file.
        columns: how many each row must have; None takes as many as the first row has.
        header: lines to leave out at the start.

    Raises:
        InputError: the file is missing, or a row has another number of columns or something that is not a whole number.
    """
    lines = read_lines(path)[header:]
    wanted = columns if columns is not None or not lines else lines[0].count(",") + 1
    if not lines:
        return np.zeros((0, columns or 0), np.int64)
    try:
        rows = np.loadtxt(lines, np.float64, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        rows = np.zeros((0, 0))
    # loadtxt passes over empty lines, which would shift every later label by a frame.
    if rows.shape != (len(lines), wanted) or not (rows == np.rint(rows)).all():
        raise InputError(_first_fault(path, lines, wanted or 0, header))
    return rows.astype(np.int64)


def whole_numbers(
    cells: Sequence[Sequence[str]], where: Callable[[int, int], str], code: LabelCode
) -> NDArray[np.int64]:
    """Cells of text as numbers, int64 ``(N, C)``.

    Args:
        cells: N rows of C cells.
        where: names the file, row and column of a cell, given its row and column here.
        code: that the numbers will be read as, for the message.

    Raises:
        InputError: a cell is not a whole number.
    """
    try:
        values = np.array(cells).astype(np.float64)
    except ValueError:
        values = np.full((1, 1), np.nan)
    if not (values == np.rint(values)).all():
        row, column = next(
            (row, column)
            for row, line in enumerate(cells)
            for column, cell in enumerate(line)
            if not _is_whole(cell)
        )
        raise InputError(
            f"{where(row, column)}: {cells[row][column]!r} is not a whole number; {code.describe()}"
        )
    return values.astype(np.int64)


def _first_fault(path: Path, lines: list[str], columns: int, header: int) -> str:
    for number, line in enumerate(lines, start=header + 1):
        cells = line.split(",")
        if len(cells) != columns:
            return f"{path}, row {number}: {len(cells)} columns instead of {columns}"
        for place, cell in enumerate(cells, start=1):
            if not _is_whole(cell):
                return f"{path}, row {number}, column {place}: {cell.strip()!r} is not a whole number"
    return f"{path} cannot be read as rows of {columns} numbers"


def _is_whole(cell: str) -> bool:
    try:
        return float(cell).is_integer()
    except ValueError:
        return False
