"""The annotated picture with the last seconds below the faces, and a corner that says how it runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.annotation import Annotator, lettering, palette
from edgeau.annotation.annotator import Layout
from edgeau.annotation.outline import draw_outline
from edgeau.live import View
from edgeau.results import Face
from edgeau_apps.live.session import SECONDS, WebcamSession
from edgeau_apps.live.tip import draw_tip

__all__ = ["Overlay"]

Points: TypeAlias = list[tuple[float, float, bool]]  # seconds before now, probability, active

_STRIP = 0.28  # of the picture's height, for sparklines
_COLUMNS = 6
_TIMELINE_COLUMNS, _TIMELINE_HEIGHT = 2, 0.09  # large timelines: of the picture's height, each
_GAP = 12  # pixels between a line and the name of the next one
_BAND, _ON = (70, 62, 56), (62, 78, 100)  # grounds of a large timeline, BGR


class Overlay:
    """Draws views.

    Args:
        session: whose views they are.
        warning: a line across the top; None for none.
    """

    def __init__(self, session: WebcamSession, warning: str | None) -> None:
        self._session, self._warning = session, warning
        self.mirror = False
        self.landmarks = False
        self.sparklines = True
        self.timelines = False
        self.help: Sequence[str] = ()
        self.pointer: tuple[int, int] | None = None
        self._told: str | None = None

    def tell_next(self, view: View) -> None:
        """Tell what the next action unit is, for windows without a mouse; after the last one none."""
        largest = view.result.largest_face
        labels = [] if largest is None else list(largest.aus)
        place = labels.index(self._told) + 1 if self._told in labels else 0
        self._told = labels[place] if place < len(labels) else None

    def draw(self, view: View) -> NDArray[np.uint8]:
        """The picture of a view, BGR."""
        annotator = Annotator(self._session.thresholds, self._warning)
        image, result = view.frame.image, view.result
        if self.landmarks:
            image = image.copy()
            for face in result.faces:
                for x, y in face.landmarks[:, :2].round().astype(int).tolist():
                    cv2.circle(image, (x, y), 1, palette.INK, -1)
        picture = annotator.draw(image, result)
        if self.mirror:
            left = picture[:, : image.shape[1]].copy()
            picture[:, : image.shape[1]] = left[:, ::-1]
        layout = Layout.of(image.shape[1], image.shape[0], banner=self._warning is not None)
        self._draw_corner(picture[layout.banner :, : layout.frame[0]], view)
        largest = result.largest_face
        if largest is not None and (self.sparklines or self.timelines):
            picture = self._with_lines(picture, largest)
        size = max(12, picture.shape[0] // 42)
        pointed = None if self.pointer is None else self.label_at(view, self.pointer)
        if pointed is not None and self.pointer is not None:
            draw_tip(picture, pointed, self.pointer, size)
        elif self._told is not None:
            draw_tip(picture, self._told, (layout.frame[0], picture.shape[0] // 2), size)
        return picture

    def label_at(self, view: View, at: tuple[int, int]) -> str | None:
        """The label of the action unit at a point of the picture of a view: a row beside the frame, or a line below it.

        Args:
            view: that was drawn.
            at: x and y, pixels.
        """
        height, width = view.frame.image.shape[:2]
        annotator = Annotator(self._session.thresholds, self._warning)
        across, down = annotator.size(width, height)
        if at[1] < down:
            found = annotator.unit_at(width, height, view.result, at)
            return None if found is None else found[1].name
        largest = view.result.largest_face
        if largest is None or not (self.sparklines or self.timelines):
            return None
        cells = self._cells(largest, across, down)
        return next(
            (
                label
                for label, (left, top, wide, high) in cells.items()
                if left <= at[0] < left + wide and top <= at[1] - down < top + high
            ),
            None,
        )

    def draw_outline(self, view: View) -> NDArray[np.uint8]:
        """The frame with the faces outlined and numbered, and nothing beside it: for the page, which has its own bars."""
        image = view.frame.image.copy()
        scale = image.shape[0] / 480
        for face in view.result.faces:
            number = max(0, -1 if face.track_id is None else face.track_id)
            draw_outline(image, face, palette.face_colour(number), 1.0)
            if len(view.result.faces) > 1:
                at = (round(face.box.left + face.box.width / 2), max(14, round(face.box.top - 12 * scale)))
                lettering.text(
                    image, str(number), at, round(16 * scale), palette.INK, bold=True, align="centre"
                )
        return image

    def _with_lines(self, picture: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
        """The picture with the last seconds of a face below it, every AU in a cell."""
        height, width = picture.shape[:2]
        number = -1 if face.track_id is None else face.track_id
        strip: NDArray[np.uint8] = np.empty((self._strip_height(face, height), width, 3), np.uint8)
        strip[:] = palette.GROUND
        bands = self._session.bands if self.timelines else {}
        for label, (left, top, wide, high) in self._cells(face, width, height).items():
            box = strip[top : top + high, left : left + wide]
            points = self._session.history.of(number, label)
            if self.timelines:
                _draw_scale(box, points, self._session.thresholds[label], bands.get(label))
            _draw_line(box, label, points, palette.face_colour(max(0, number)))
        return np.vstack((picture, strip))

    def _strip_height(self, face: Face, height: int) -> int:
        """Height of the strip below a picture of this height, pixels."""
        rows = -(-len(face.aus) // self._columns)
        return int(rows * height * _TIMELINE_HEIGHT if self.timelines else height * _STRIP)

    @property
    def _columns(self) -> int:
        return _TIMELINE_COLUMNS if self.timelines else _COLUMNS

    def _cells(self, face: Face, width: int, height: int) -> dict[str, tuple[int, int, int, int]]:
        """Left, top, width and height of every AU's cell in the strip below a picture of this size, pixels."""
        labels = list(face.aus)
        rows = -(-len(labels) // self._columns)
        wide, high = width // self._columns, self._strip_height(face, height) // rows
        return {
            label: (place % self._columns * wide, place // self._columns * high, wide, high)
            for place, label in enumerate(labels)
        }

    def _draw_corner(self, picture: NDArray[np.uint8], view: View) -> None:
        """Say how it runs, in the corner of the frame; letters shrink until they fit it."""
        counters = self._session.counters()
        fps = 0.0 if counters is None else counters.fps
        words = [
            f"{fps:.0f} frames/s, latency {1e3 * view.result.age_s:.0f} ms, {_every(view.result.every)}",
            f"{self._session.engine()}, {self._session.precision()}",
            f"{_smoothed(self._session.smoothed_s)}; two arms: own right | own left",
            *self.help,
        ]
        if self._session.is_recording:
            words.append("recording")
        if self._session.said:
            words.append(self._session.said)
        size = max(11, picture.shape[0] // 45)
        while size > 8 and any(lettering.width(text, size) > picture.shape[1] - 2 * size for text in words):
            size -= 1
        for line, text in enumerate(words):
            at = (size, round(size * (1.2 + 1.7 * line)))
            box = (0, round(at[1] - 0.9 * size), lettering.width(text, size) + 2 * size, round(1.8 * size))
            _shade(picture, box)
            lettering.text(picture, text, at, size, palette.INK)


def _smoothed(lag_s: float | None) -> str:
    return "not smoothed" if lag_s is None else f"smoothed, at most {lag_s:.2f} s behind"


def _shade(picture: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    part = picture[max(0, top) : top + height, left : left + width]
    part[:] = part // 3


def _letters(box: NDArray[np.uint8]) -> int:
    return max(9, min(14, box.shape[0] // 4))


def _across(box: NDArray[np.uint8], time_s: float) -> float:
    """Return the place of a time in a cell, pixels from its left."""
    left = 10 + lettering.width("AU43", _letters(box))
    return left + (1 + time_s / SECONDS) * (box.shape[1] - left - _GAP)


def _down(box: NDArray[np.uint8], value: float) -> float:
    return 3 + (1 - value) * (box.shape[0] - 6)


def _draw_line(box: NDArray[np.uint8], label: str, points: Points, colour: tuple[int, int, int]) -> None:
    lettering.text(box, label, (6, box.shape[0] // 2), _letters(box), palette.MUTED)
    places = [(_across(box, time_s), _down(box, value)) for time_s, value, _ in points]
    if len(places) > 1:
        line = np.round(np.array(places) * 16).astype(np.int32)
        cv2.polylines(box, [line], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA, shift=4)


def _draw_scale(
    box: NDArray[np.uint8], points: Points, threshold: float, band: tuple[float, float] | None
) -> None:
    """Behind a large timeline: the threshold in its band, and the times in which the AU was active."""
    left, right = round(_across(box, -SECONDS)), round(_across(box, 0))
    if band is not None:
        box[round(_down(box, band[1])) : round(_down(box, band[0])), left:right] = _BAND
    for (start, _, active), (end, *_) in pairwise(points):
        if active:
            box[3:-3, round(_across(box, start)) : round(_across(box, end))] = _ON
    box[round(_down(box, threshold)), left:right:4] = palette.MUTED


def _every(frames: int) -> str:
    return "AUs every frame" if frames == 1 else f"AUs every {frames} frames"
