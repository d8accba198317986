"""The same number for the same face from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeau.results import Box

__all__ = ["FaceTracks"]

# Ours: a head moves less than its own width between two frames, and hardly changes its size.
_MAX_MOVE = 0.8
_MAX_GROWTH = 1.6
# A face that was out of sight for longer gets a new number.
_MAX_ABSENCE = 15  # frames


@dataclass
class _Track:
    number: int
    box: Box
    absent: int = 0


class FaceTracks:
    """Numbers faces by nearest box; a number is never given twice."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 0

    def update(self, boxes: Sequence[Box]) -> list[int]:
        """The numbers of the faces of the next frame, in the order of the boxes."""
        numbers: dict[int, int] = {}
        free = list(self._tracks)
        for _, index, track in self._pairs(boxes):
            if index not in numbers and track in free:
                numbers[index] = track.number
                track.box, track.absent = boxes[index], 0
                free.remove(track)
        self._age(free)
        return [numbers[i] if i in numbers else self._start(box) for i, box in enumerate(boxes)]

    def _pairs(self, boxes: Sequence[Box]) -> list[tuple[float, int, _Track]]:
        """Every box and track that may be one face, nearest first."""
        pairs = (
            (_distance(box, track.box), i, track) for i, box in enumerate(boxes) for track in self._tracks
        )
        return sorted((p for p in pairs if p[0] <= _MAX_MOVE), key=lambda pair: pair[0])

    def _age(self, unseen: list[_Track]) -> None:
        for track in unseen:
            track.absent += 1
        self._tracks = [track for track in self._tracks if track.absent <= _MAX_ABSENCE]

    def _start(self, box: Box) -> int:
        track = _Track(self._next, box)
        self._next += 1
        self._tracks.append(track)
        return track.number


def _distance(a: Box, b: Box) -> float:
    """Move of the centre in sizes of the face; infinite when the sizes cannot be one face's."""
    size_a, size_b = max(a.width, a.height), max(b.width, b.height)
    if not 0 < max(size_a, size_b) <= _MAX_GROWTH * min(size_a, size_b):
        return math.inf
    dx = (a.left + a.width / 2) - (b.left + b.width / 2)
    dy = (a.top + a.height / 2) - (b.top + b.height / 2)
    return math.hypot(dx, dy) / max(size_a, size_b)
