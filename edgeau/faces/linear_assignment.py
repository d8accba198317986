"""The cheapest way to pair rows with columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["linear_assignment"]


def linear_assignment(costs: Sequence[Sequence[float]], limit: float) -> list[tuple[int, int]]:
    """Pairs of rows and columns, each in one pair at most, whose costs and omissions sum up to the least.

    A pair that costs ``limit`` or more is left out, as if leaving a row and a column alone cost that much. The Hungarian
    method by shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987), cubic in the number of rows and columns: for
    the few faces of a frame.

    Args:
        costs: rows of numbers, all rows of one length; infinite where a pair cannot be.
        limit: finite.

    Returns:
        ``(row, column)``, by row.
    """
    rows, columns = len(costs), len(costs[0]) if costs else 0
    if not rows or not columns:
        return []
    # Every row may also stay alone, in a column of its own that costs the limit.
    capped = [[min(cost, 2 * limit) for cost in row] + [limit] * rows for row in costs]
    column_of = _assign(capped)
    return [
        (row, column)
        for row, column in enumerate(column_of)
        if column < columns and costs[row][column] < limit
    ]


def _assign(costs: list[list[float]]) -> list[int]:
    """The column of every row; there must be no more rows than columns."""
    rows, columns = len(costs), len(costs[0])
    row_price, column_price = [0.0] * rows, [0.0] * (columns + 1)
    row_of = [-1] * (columns + 1)  # the last column is where a row starts that has none yet
    for start in range(rows):
        row_of[columns] = start
        reached, before = [math.inf] * columns, [columns] * columns
        done = [False] * (columns + 1)
        at = columns
        while row_of[at] >= 0:
            done[at] = True
            row, step, nearest = row_of[at], math.inf, columns
            for column in range(columns):
                if done[column]:
                    continue
                price = costs[row][column] - row_price[row] - column_price[column]
                if price < reached[column]:
                    reached[column], before[column] = price, at
                if reached[column] < step:
                    step, nearest = reached[column], column
            for column in range(columns + 1):
                if done[column]:
                    row_price[row_of[column]] += step
                    column_price[column] -= step
                elif column < columns:
                    reached[column] -= step
            at = nearest
        while at != columns:  # shift the rows along the path
            row_of[at], at = row_of[before[at]], before[at]
    column_of = [-1] * rows
    for column, row in enumerate(row_of[:columns]):
        if row >= 0:
            column_of[row] = column
    return column_of
