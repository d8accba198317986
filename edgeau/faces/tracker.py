"""The same number for the same face from frame to frame, from motion alone.

A face is expected where its motion takes it, at about its size and about its shape a moment ago. What is found is paired
with what is expected so that all pairs together fit best. Faces out of sight are expected to move on a little and are
forgotten after a second of frames without them. Where frames themselves are missing (a source that left and came back, a film
of one frame in several seconds), the faces before are compared with those after, over eight seconds at most. Nothing of a face
outlives its number: no template of a person is made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.linear_assignment import linear_assignment
from edgeau.results import Box

__all__ = ["FaceTracker"]

# All ours, tuned on rendered scenes (benchmarks/tracks.py, other scenes than those that it counts on).
# A head strays less than so many of its sizes from where it is expected, and hardly changes its size; the longer it was
# out of sight, the further it may be.
_MAX_STRAY, _STRAY_PER_S = 0.4, 2.0
_MAX_GROWTH = math.log(1.6)
# How much a face's shape changes at most from frame to frame, and in a second, in sizes a point: a turn or a word. Two
# faces differ by three times as much; a larger difference than four times says no more.
_USUAL_CHANGE, _CHANGE_PER_S, _MOST_CHANGE = 0.02, 0.04, 4.0
# What growth by a factor e, the usual change of shape and a second out of sight cost beside a stray of one size; and from
# where on a face is rather a new one.
_GROWTH_COST, _SHAPE_COST, _ABSENCE_COST = 0.5, 0.1, 0.3
_TOO_MUCH = 2.5
# Share of a new velocity in the running one; how long a face out of sight is expected to go on moving.
_LEARN, _COAST_S = 0.4, 0.4
_MAX_ABSENCE_S = 1.0
_STEP_S = (
    1 / 30
)  # between frames of a usual film: a face that was there in the last one was never out of sight
_EVERY = 8  # every so many points stand for the shape

_Shape = NDArray[np.float32]


@dataclass
class _Track:
    number: int
    x: float
    y: float
    size: float
    shape: _Shape
    seen_s: float
    speed_x: float = 0.0
    speed_y: float = 0.0

    def stray(self, x: float, y: float, now_s: float) -> float:
        """Distance from the place where it is expected, pixels."""
        on_s = min(max(now_s - self.seen_s, 0.0), _COAST_S)
        return math.hypot(x - self.x - on_s * self.speed_x, y - self.y - on_s * self.speed_y)


@dataclass(frozen=True)
class _Sight:
    """A face of this frame."""

    x: float
    y: float
    size: float
    shape: _Shape


class FaceTracker:
    """Numbers faces; a number is never given twice."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 0
        self._now_s = 0.0

    def update(
        self, boxes: Sequence[Box], landmarks: Sequence[NDArray[np.float32]], time_s: float
    ) -> list[int]:
        """The numbers of the faces of the next frame, in the order of the boxes.

        Args:
            boxes: boxes of the faces.
            landmarks: landmarks of the faces, ``(468 or 478, 3)`` each.
            time_s: time of the frame, seconds; where it goes back by more than a second, tracks end.
        """
        self._now_s = time_s
        sights = [_sight(box, face) for box, face in zip(boxes, landmarks, strict=True)]
        costs = [[self._cost(track, sight) for sight in sights] for track in self._tracks]
        numbers = [-1] * len(sights)
        for row, place in linear_assignment(costs, _TOO_MUCH):
            self._follow(self._tracks[row], sights[place])
            numbers[place] = self._tracks[row].number
        # A track that was seen later than now is of another recording, whose time had gone further.
        self._tracks = [
            track for track in self._tracks if abs(self._now_s - track.seen_s) <= _MAX_ABSENCE_S + 1e-6
        ]
        return [self._start(sights[place]) if number < 0 else number for place, number in enumerate(numbers)]

    def _cost(self, track: _Track, sight: _Sight) -> float:
        """Mismatch of a face with a track, in sizes of the face; infinite when it cannot be its."""
        if not (track.size > 0 and sight.size > 0):
            return math.inf
        growth = abs(math.log(sight.size / track.size))
        stray = track.stray(sight.x, sight.y, self._now_s) / max(track.size, sight.size)
        absence_s = max(0.0, self._now_s - track.seen_s - _STEP_S)
        if growth > _MAX_GROWTH or stray > _MAX_STRAY + _STRAY_PER_S * absence_s:
            return math.inf
        usual = _USUAL_CHANGE + _CHANGE_PER_S * absence_s
        change = min(float(np.abs(track.shape - sight.shape).mean()) / usual, _MOST_CHANGE)
        return stray + _GROWTH_COST * growth + _SHAPE_COST * change + _ABSENCE_COST * absence_s

    def _follow(self, track: _Track, sight: _Sight) -> None:
        passed_s = self._now_s - track.seen_s
        if passed_s > 0:
            track.speed_x += _LEARN * ((sight.x - track.x) / passed_s - track.speed_x)
            track.speed_y += _LEARN * ((sight.y - track.y) / passed_s - track.speed_y)
        track.x, track.y, track.size = sight.x, sight.y, sight.size
        track.shape, track.seen_s = sight.shape, self._now_s

    def _start(self, sight: _Sight) -> int:
        number, self._next = self._next, self._next + 1
        self._tracks.append(_Track(number, sight.x, sight.y, sight.size, sight.shape, self._now_s))
        return number


def _sight(box: Box, landmarks: NDArray[np.float32]) -> _Sight:
    size = max(box.width, box.height)
    x, y = box.left + box.width / 2, box.top + box.height / 2
    shape = landmarks[::_EVERY, :2] - np.array((x, y), np.float32)
    return _Sight(x, y, size, shape / np.float32(size) if size > 0 else shape)
