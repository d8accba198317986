"""Rows of cells as lines of a terminal, columns lined up."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["aligned_lines"]


def aligned_lines(rows: Sequence[Sequence[str]], *, right: bool = False) -> list[str]:
    """One line per row, two spaces between columns.

    Args:
        rows: rows of as many cells each.
        right: set every column but the first flush right, as numbers read best.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_placed(row, widths, right=right)).rstrip() for row in rows]


def _placed(row: Sequence[str], widths: Sequence[int], *, right: bool) -> list[str]:
    return [
        cell.rjust(width) if right and column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
