"""A picture with its results beside it: outlines on the faces, one card a face in a strip at the right.

The strip keeps every face free of text. Its size depends on the frame's alone, so that all frames of a video come out alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.annotation import lettering, palette
from edgeau.annotation.card import Columns, chosen, draw_card
from edgeau.annotation.outline import draw_outline
from edgeau.results import ActionUnit, Face, FrameResult
from edgeau.sources.check_frame import check_frame

__all__ = ["Annotator", "Layout"]

# Letters below 10 pixels cannot be read: a smaller frame is enlarged instead. Ours.
_SMALLEST_LETTERS = 10
# Rows that a strip has room for: 18 action units, a heading, a footnote, and air. Letters follow from it.
_ROWS = 22.4
_MOST_CARDS = 6
# A frame is not enlarged beyond so many pixels a side: one that is long and a few pixels high would take gigabytes.
_LONGEST = 8192
_FOOTNOTE = "* experimental: unproven on real faces"


@dataclass(frozen=True)
class Layout:
    """Sizes of an annotated picture, pixels.

    Attributes:
        scale: picture pixels to a frame pixel, 1 or more.
        frame: width, height of the frame in the picture.
        columns: measures of the cards.
        banner: height of the warning above everything; 0 without one.
    """

    scale: float
    frame: tuple[int, int]
    columns: Columns
    banner: int

    @property
    def size(self) -> tuple[int, int]:
        """Width, height of the picture; even numbers, which video codecs want."""
        width, height = self.frame[0] + self.columns.width, self.frame[1] + self.banner
        return width + width % 2, height + height % 2

    @classmethod
    def of(cls, width: int, height: int, *, banner: bool) -> Layout:
        """The layout for frames of this size, pixels."""
        least = _SMALLEST_LETTERS * 2.1 * _ROWS
        scale = max(1.0, min(least / height, _LONGEST / max(width, height)))
        frame = (round(width * scale), round(height * scale))
        # A tall narrow frame must not get a strip that dwarfs it.
        letters = min(frame[1] / (2.1 * _ROWS), max(least / (2.1 * _ROWS), frame[0] / 30))
        columns = Columns(max(_SMALLEST_LETTERS, int(letters)))
        return cls(scale, frame, columns, 3 * columns.size if banner else 0)


class Annotator:
    """Draws results onto copies of their pictures; :meth:`edgeau.FrameResult.plot` does so for one.

    Args:
        thresholds: label to decision threshold, 0..1, shown as a tick on each bar, such as
            :attr:`edgeau.Pipeline.thresholds`; a label without one gets no tick.
        warning: a line across the top of every picture, such as that the network is untrained; None for none.
    """

    def __init__(self, thresholds: Mapping[str, float], warning: str | None = None) -> None:
        self._thresholds = dict(thresholds)
        self._warning = warning

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width, height of the picture that a frame of this size gives, pixels."""
        return Layout.of(width, height, banner=self._warning is not None).size

    def draw(self, image: NDArray[np.uint8], result: FrameResult) -> NDArray[np.uint8]:
        """The annotated picture of one frame.

        Args:
            image: uint8 ``(height, width, 3)``, BGR; it is not changed.
            result: what was found in it.

        Returns:
            uint8 ``(height, width, 3)``, BGR, larger than the frame by the strip; see :meth:`size`.

        Raises:
            InputError: the image is not a BGR picture; the message says how to make it one.
        """
        check_frame(image)
        layout = Layout.of(image.shape[1], image.shape[0], banner=self._warning is not None)
        width, height = layout.size
        picture: NDArray[np.uint8] = np.empty((height, width, 3), np.uint8)
        picture[:] = palette.GROUND
        across, down = layout.frame
        view = picture[layout.banner : layout.banner + down, :across]
        view[:] = (
            image if layout.scale == 1 else cv2.resize(image, (across, down), interpolation=cv2.INTER_CUBIC)
        )
        for place, face in enumerate(result.faces):
            draw_outline(view, face, palette.face_colour(_number(face, place)), layout.scale)
        if len(result.faces) > 1:
            self._label_faces(view, result, layout)
        self._draw_cards(picture, result, layout)
        if self._warning:
            _draw_banner(picture, self._warning, layout)
        return picture

    def _label_faces(self, view: NDArray[np.uint8], result: FrameResult, layout: Layout) -> None:
        """The number of each face above it, on its own colour."""
        size = layout.columns.size
        for place, face in enumerate(result.faces):
            number = str(_number(face, place))
            x = round((face.box.left + face.box.width / 2) * layout.scale)
            y = max(round(1.6 * size), round(face.box.top * layout.scale - 1.8 * size))
            cv2.circle(
                view, (x, y), round(1.25 * size), palette.face_colour(_number(face, place)), -1, cv2.LINE_AA
            )
            lettering.text(view, number, (x, y), size, palette.GROUND, bold=True, align="centre")

    def unit_at(
        self, width: int, height: int, result: FrameResult, at: tuple[int, int]
    ) -> tuple[Face, ActionUnit] | None:
        """The face and the action unit whose row covers a point of the annotated picture, such as that of the mouse.

        Args:
            width: of the frame, pixels.
            height: of the frame, pixels.
            result: what was drawn.
            at: x and y in the picture of :meth:`draw`, pixels.

        Returns:
            None where no row is.
        """
        layout = Layout.of(width, height, banner=self._warning is not None)
        columns = layout.columns
        for card in _cards(result, layout):
            if not card.at[0] <= at[0] < card.at[0] + columns.width:
                continue
            for row, unit in enumerate(card.units):
                top = columns.middle(card.at[1], row) - columns.row // 2
                if top <= at[1] < top + columns.row:
                    return card.face, unit
        return None

    def _draw_cards(self, picture: NDArray[np.uint8], result: FrameResult, layout: Layout) -> None:
        columns, left = layout.columns, layout.frame[0]
        if not result.faces:
            at = (left + columns.margin, layout.banner + columns.size // 2 + columns.row // 2)
            lettering.text(picture, "no face", at, columns.size, palette.MUTED)
            return
        if _has_footnote(result):
            at = (left + columns.margin, picture.shape[0] - columns.row // 2 - columns.size // 2)
            lettering.text(picture, _FOOTNOTE, at, columns.size, palette.FAINT)
        for card in _cards(result, layout):
            draw_card(
                picture,
                card.at,
                columns=columns,
                face=card.face,
                title=card.title,
                colour=palette.face_colour(card.number),
                units=card.units,
                thresholds=self._thresholds,
            )


@dataclass(frozen=True)
class _Card:
    """One face's card: its top left corner in the picture, and what stands on it."""

    at: tuple[int, int]
    face: Face
    number: int
    title: str
    units: Sequence[ActionUnit]


def _cards(result: FrameResult, layout: Layout) -> list[_Card]:
    columns = layout.columns
    top, room = layout.banner + columns.size // 2, layout.frame[1] - columns.size
    if _has_footnote(result):
        room -= columns.row
    shown = result.faces[: _most_cards(len(result.faces), room, columns)]
    cards = []
    for place, face in enumerate(shown):
        each = room // len(shown)
        number = _number(face, place)
        title = f"Face {number}" + _hidden(len(result.faces), len(shown), place)
        units = chosen(face, max(1, (each - 2 * columns.size) // columns.row - 1))
        cards.append(_Card((layout.frame[0], top + place * each), face, number, title, units))
    return cards


def _has_footnote(result: FrameResult) -> bool:
    return any(unit.experimental for face in result.faces for unit in face.aus.values())


def _most_cards(faces: int, room: int, columns: Columns) -> int:
    """Count the cards of at least three rows that fit."""
    return max(1, min(faces, _MOST_CARDS, room // columns.height(3)))


def _number(face: Face, place: int) -> int:
    return place if face.track_id is None else face.track_id


def _hidden(faces: int, shown: int, place: int) -> str:
    """Word what the last card adds to its title when there are more faces than cards."""
    return f"  (and {faces - shown} more faces)" if faces > shown and place == shown - 1 else ""


def _draw_banner(picture: NDArray[np.uint8], words: str, layout: Layout) -> None:
    size = layout.columns.size
    cv2.rectangle(picture, (0, 0), (picture.shape[1], layout.banner - 1), palette.WARNING, cv2.FILLED)
    while size > 5 and lettering.width(words, size, bold=True) > picture.shape[1] - 2 * size:
        size -= 1
    middle = (picture.shape[1] // 2, layout.banner // 2)
    lettering.text(picture, words, middle, size, palette.INK, bold=True, align="centre")
