"""The annotated picture with sparklines below the faces, and a corner that says how it runs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.annotation import Annotator, lettering, palette
from edgeau.annotation.outline import draw_outline
from edgeau.live import View
from edgeau_apps.live.session import SECONDS, History, WebcamSession

__all__ = ["Overlay"]

_STRIP = 0.28  # of the picture's height, for sparklines
_COLUMNS = 6


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
        if self.sparklines and result.faces:
            picture = self._with_sparklines(picture, view)
        self._draw_corner(picture, view)
        return picture

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

    def _with_sparklines(self, picture: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        strip: NDArray[np.uint8] = np.empty((int(height * _STRIP), width, 3), np.uint8)
        strip[:] = palette.GROUND
        face = max(view.result.faces, key=lambda one: one.box.width * one.box.height)
        number = -1 if face.track_id is None else face.track_id
        labels = list(face.aus)
        rows = -(-len(labels) // _COLUMNS)
        cell = (width // _COLUMNS, strip.shape[0] // rows)
        for place, label in enumerate(labels):
            column, row = place % _COLUMNS, place // _COLUMNS
            box = strip[row * cell[1] : (row + 1) * cell[1], column * cell[0] : (column + 1) * cell[0]]
            _draw_sparkline(box, label, self._session.history, number, palette.face_colour(max(0, number)))
        return np.vstack((picture, strip))

    def _draw_corner(self, picture: NDArray[np.uint8], view: View) -> None:
        counters = self._session.counters()
        fps = 0.0 if counters is None else counters.fps
        words = [
            f"{fps:.0f} frames/s, latency {1e3 * view.result.age_s:.0f} ms, {_every(view.result.every)}",
            f"{self._session.engine()}, {self._session.precision()}",
            f"{_smoothed(self._session.smoothed_s)}; two arms: own right | own left",
        ]
        if self._session.is_recording:
            words.append("recording")
        if self._session.said:
            words.append(self._session.said)
        size = max(11, picture.shape[0] // 45)
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


def _draw_sparkline(
    box: NDArray[np.uint8], label: str, history: History, number: int, colour: tuple[int, int, int]
) -> None:
    height, width = box.shape[:2]
    size = max(9, min(14, height // 4))
    lettering.text(box, label, (6, height // 2), size, palette.MUTED)
    left = 5 * size
    points = [
        (left + (1 + time_s / SECONDS) * (width - left - 8), 3 + (1 - value) * (height - 6))
        for time_s, value in history.of(number, label)
        if value is not None
    ]
    if len(points) > 1:
        line = np.round(np.array(points) * 16).astype(np.int32)
        cv2.polylines(box, [line], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA, shift=4)


def _every(frames: int) -> str:
    return "AUs every frame" if frames == 1 else f"AUs every {frames} frames"
