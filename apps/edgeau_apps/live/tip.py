"""A tool tip of the window: what an action unit moves, in words and in rendered pictures, beside the mouse."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import DEFAULT, MOVES, au_number_or_none, facs_name
from edgeau.annotation import lettering, palette

__all__ = ["draw_tip", "tip_words"]

_WIDE = 46  # characters of a line
_FRAME = (150, 140, 130)  # of the tip, BGR


def tip_words(label: str) -> list[str]:
    """Lines that say what a label is: its FACS name, and what moves where that is known.

    Args:
        label: of the bundle, such as ``"AU12"``.
    """
    moves = MOVES.get(au_number_or_none(label) or 0, "")
    return [f"{label}: {facs_name(label)}", *textwrap.wrap(moves, _WIDE)]


def draw_tip(picture: NDArray[np.uint8], label: str, at: tuple[int, int], size: int) -> None:
    """Draw a tip, in place: beside a point, and whole within the picture where that is large enough.

    Args:
        picture: uint8 ``(height, width, 3)``, BGR.
        label: of the bundle.
        at: x and y of the point, pixels.
        size: height of a capital letter, pixels.
    """
    words = tip_words(label)
    wide = max(lettering.width(line, size, bold=True) for line in words)
    plate = _plate(label)
    if plate is not None:
        wide = min(max(wide, plate.shape[1] // 2), picture.shape[1] - 4 * size)
        high = round(plate.shape[0] * wide / plate.shape[1])
        plate = np.asarray(cv2.resize(plate, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    row = round(1.8 * size)
    high = row * len(words) + (0 if plate is None else plate.shape[0] + size // 2) + size
    left, top = _corner((wide + 2 * size, high), at, 2 * size, (picture.shape[1], picture.shape[0]))
    right, bottom = min(left + wide + 2 * size, picture.shape[1]) - 1, min(top + high, picture.shape[0]) - 1
    cv2.rectangle(picture, (left, top), (right, bottom), palette.GROUND, cv2.FILLED)
    cv2.rectangle(picture, (left, top), (right, bottom), _FRAME, 1)
    for number, line in enumerate(words):
        middle = (left + size, top + size // 2 + round((number + 0.5) * row))
        lettering.text(picture, line, middle, size, palette.INK, bold=number == 0)
    if plate is not None:
        _paste(picture, plate, left + size, top + size // 2 + row * len(words))


def _corner(size: tuple[int, int], at: tuple[int, int], gap: int, room: tuple[int, int]) -> tuple[int, int]:
    """Left and top of a box beside a point: at its left, its right, below or above it, wherever it is whole."""
    (wide, high), (x, y) = size, at
    left = max(0, min(x - wide // 2, room[0] - wide))
    top = max(0, min(y - high // 2, room[1] - high))
    if x - gap - wide >= 0:
        return x - gap - wide, top
    if x + gap + wide <= room[0]:
        return x + gap, top
    below = y + gap
    return left, below if below + high <= room[1] else max(0, y - gap - high)


def _paste(picture: NDArray[np.uint8], plate: NDArray[np.uint8], left: int, top: int) -> None:
    part = picture[top : top + plate.shape[0], left : left + plate.shape[1]]
    part[:] = plate[: part.shape[0], : part.shape[1]]


@lru_cache
def _plate(label: str) -> NDArray[np.uint8] | None:
    """The rendered pictures of an action unit side by side; None for one that has none."""
    if label not in DEFAULT:
        return None
    file = (files("edgeau") / "assets" / "plate" / f"{label}.webp").read_bytes()
    return np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR), np.uint8)
