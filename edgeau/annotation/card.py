"""One face's card: its action units as bars with name, probability and threshold; two arms where an AU has sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import facs_name
from edgeau.annotation import lettering, palette
from edgeau.annotation.palette import Colour
from edgeau.results import ActionUnit, Face

__all__ = ["Columns", "chosen", "draw_card"]


@dataclass(frozen=True)
class Columns:
    """Places of the parts of a row, all in multiples of the letter size so that any size looks alike.

    Attributes:
        size: height of a capital letter, pixels.
    """

    size: int

    @property
    def row(self) -> int:
        """Height of a row, pixels."""
        return round(2.1 * self.size)

    @property
    def margin(self) -> int:
        """Between the card's edge and its content, pixels."""
        return round(1.4 * self.size)

    @property
    def name(self) -> int:
        """Left end of the FACS names, pixels from the content's left."""
        return round(4.9 * self.size)

    @property
    def bar(self) -> tuple[int, int]:
        """Left end and length of the bars, pixels from the content's left."""
        return round(22.4 * self.size), round(6.8 * self.size)

    @property
    def value(self) -> int:
        """Right end of the numbers, pixels from the content's left."""
        return round(33.2 * self.size)

    @property
    def width(self) -> int:
        """Width of the whole card, pixels."""
        return self.value + 2 * self.margin

    def middle(self, top: int, row: int) -> int:
        """Middle of the nth row of a card whose top edge is at ``top``, pixels."""
        return top + self.row // 2 + self.size // 2 + (row + 1) * self.row

    def height(self, rows: int) -> int:
        """Height of a card with a heading and so many rows, pixels."""
        return (rows + 1) * self.row + 2 * self.size


def chosen(face: Face, rows: int) -> list[ActionUnit]:
    """The action units for a card with so many rows: all if they fit, else the most probable, in their own order."""
    units = list(face.aus.values())
    if len(units) <= rows:
        return units
    ranked = sorted(
        units, key=lambda unit: -1.0 if unit.probability is None else unit.probability, reverse=True
    )
    kept = {unit.name for unit in ranked[: max(0, rows - 1)]}
    return [unit for unit in units if unit.name in kept]


def draw_card(
    picture: NDArray[np.uint8],
    at: tuple[int, int],
    *,
    columns: Columns,
    face: Face,
    title: str,
    colour: Colour,
    units: Sequence[ActionUnit],
    thresholds: Mapping[str, float],
) -> None:
    """Draw a card, in place.

    Args:
        picture: uint8 ``(height, width, 3)``, BGR, on whose ground the card is drawn.
        at: x y of its top left corner, pixels.
        columns: its measures.
        face: whose card it is.
        title: its heading.
        colour: the face's colour.
        units: the action units to show, one a row.
        thresholds: label to decision threshold, 0..1; a label without one gets no tick.
    """
    left, size = at[0] + columns.margin, columns.size
    y = at[1] + columns.row // 2
    _disc(picture, (left + size // 2, y), size * 0.62, colour)
    lettering.text(picture, title, (left + 2 * size, y), size, palette.INK, bold=True)
    active = sum(bool(unit.active) for unit in face.aus.values())
    lettering.text(picture, f"{active} active", (left + columns.value, y), size, palette.MUTED, align="right")
    for row, unit in enumerate(units):
        _draw_row(picture, (left, columns.middle(at[1], row)), columns, unit, thresholds.get(unit.name))
    hidden = len(face.aus) - len(units)
    if hidden:
        words = f"and {hidden} less probable"
        below = columns.middle(at[1], len(units))
        lettering.text(picture, words, (left + columns.name, below), size, palette.FAINT)


def _draw_row(
    picture: NDArray[np.uint8],
    at: tuple[int, int],
    columns: Columns,
    unit: ActionUnit,
    threshold: float | None,
) -> None:
    left, y = at
    size = columns.size
    name = palette.INK if unit.active else palette.MUTED
    lettering.text(picture, unit.name, (left, y), size, name, bold=bool(unit.active))
    words = facs_name(unit.name) + (" *" if unit.experimental else "")
    words = _shortened(words, size, columns.bar[0] - columns.name - size)
    lettering.text(
        picture, words, (left + columns.name, y), size, palette.MUTED if unit.active else palette.FAINT
    )
    bar = (left + columns.bar[0], columns.bar[1])
    _pill(picture, (bar[0], y), bar[1], size, palette.TRACK)
    if unit.probability is None:
        reason = str(unit.reason)
        lettering.text(
            picture, reason, (bar[0] + bar[1] // 2, y), max(1, size - 2), palette.MUTED, align="centre"
        )
        lettering.text(picture, "-", (left + columns.value, y), size, palette.FAINT, align="right")
        return
    colour = palette.ACTIVE if unit.active else palette.FAINT
    if unit.left is not None and unit.right is not None:
        _draw_arms(picture, (bar[0] + bar[1] // 2, y), bar[1] // 2, size, (unit.right, unit.left), colour)
        ticks = [] if threshold is None else [(1 - threshold) / 2, (1 + threshold) / 2]
    else:
        filled = round(bar[1] * unit.probability)
        if filled >= 1:
            _pill(picture, (bar[0], y), max(filled, size // 2), size, colour)
        ticks = [] if threshold is None else [threshold]
    for tick in ticks:
        _tick(picture, bar[0] + round(bar[1] * tick), y, size)
    number = f"{unit.probability:.2f}"
    lettering.text(
        picture, number, (left + columns.value, y), size, name, align="right", bold=bool(unit.active)
    )


def _draw_arms(
    picture: NDArray[np.uint8],
    middle: tuple[int, int],
    longest: int,
    size: int,
    sides: tuple[float, float],
    colour: Colour,
) -> None:
    """The person's own right side from the middle to the left, the left side to the right: as the person is seen."""
    x, y = middle
    half = round(size * 0.36)
    right, left = (round(longest * side) for side in sides)
    cv2.rectangle(picture, (x - right, y - half), (x + left, y + half), colour, cv2.FILLED)
    cv2.rectangle(picture, (x, y - half), (x, y + half), palette.GROUND, cv2.FILLED)


def _shortened(words: str, size: int, room: int) -> str:
    """The words, cut with dots where they are wider than their room, pixels."""
    if lettering.width(words, size) <= room:
        return words
    while words and lettering.width(words + "..", size) > room:
        words = words[:-1].rstrip()
    return words + ".."


def _pill(picture: NDArray[np.uint8], at: tuple[int, int], across: int, size: int, colour: Colour) -> None:
    """A bar with round ends; ``at`` is the middle of its left end."""
    left, y = at
    radius = size * 0.36
    ends = (left + radius, left + max(radius, across - radius))
    for x in ends:
        _disc(picture, (x, y), radius, colour)
    if ends[1] > ends[0]:
        half = round(radius)
        cv2.rectangle(picture, (round(ends[0]), y - half), (round(ends[1]), y + half), colour, cv2.FILLED)


def _disc(picture: NDArray[np.uint8], centre: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = round(centre[0] * 16), round(centre[1] * 16)
    cv2.circle(picture, (x, y), round(radius * 16), colour, cv2.FILLED, cv2.LINE_AA, shift=4)


def _tick(picture: NDArray[np.uint8], x: int, y: int, size: int) -> None:
    """The threshold: a light line a little taller than the bar."""
    half, thick = round(size * 0.62), max(1, round(size / 9))
    cv2.rectangle(
        picture, (x - thick // 2, y - half), (x - thick // 2 + thick - 1, y + half), palette.INK, cv2.FILLED
    )
