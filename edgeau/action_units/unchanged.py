"""Faces that look as they did when the network looked at them last, of which its answer holds.

Compared are the pixels of the frame at the place where the face was then, and roughly its landmarks. Not the aligned crops: of a picture
that stands still landmarks go on moving by a pixel or more, and the crop with them. Compared is what the network saw, not the frame before:
slow changes add up. The bounds are ours; ``benchmarks/unchanged_faces.py`` measures what they save and what they cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.results import Box

__all__ = ["SKIP", "SeenFace", "Skip", "UnchangedFaces"]

Skip = Literal["off", "on", "auto"]
SKIP: Mapping[Skip, str] = {
    "off": "the network looks at every face of every frame",
    "on": "it does not look at a face that did not change since it looked last",
    "auto": "as on while a live stream cannot keep its rate, else as off",
}
"""When the network is spared faces that did not change."""

# Farthest that a landmark may have moved, in shares of the face's longer side: more than it trembles by itself.
_MOVED = 0.06
# Most that a block of the face may differ, levels of 255.
_DIFFERENT = 5
# Pixels along a side of the picture that is kept, and blocks along it.
_SIDE, _BLOCKS = 56, 14
# What is compared around the landmarks, in shares of their box: the forehead above them too.
_MARGIN = 0.15
# After so long the network looks again, whatever the picture says; seconds.
_LONGEST_S = 2.0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class SeenFace(Generic[Answer]):
    """A look of the network at a face, and its answer.

    Attributes:
        size: height and width of the frame, pixels.
        place: left, top, right, bottom of what is compared, pixels of the frame.
        picture: uint8 ``(56, 56, 3)``, the frame there, made smaller.
        landmarks: float32 ``(468 or 478, 3)``, pixels.
        time_s: time of the frame, seconds.
        answer: what is kept of it.
    """

    size: tuple[int, int]
    place: tuple[int, int, int, int]
    picture: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    time_s: float
    answer: Answer


class UnchangedFaces(Generic[Answer]):
    """Remembers one look at each track.

    Args:
        most: tracks that are remembered at most; those looked at longest ago are forgotten.
    """

    def __init__(self, most: int = 100) -> None:
        self._most = most
        self._seen: dict[int, SeenFace[Answer]] = {}

    def clear(self) -> None:
        """Forget all: another stream begins."""
        self._seen.clear()

    def last_look(
        self, track_id: int, frame: NDArray[np.uint8], landmarks: NDArray[np.float32], box: Box, time_s: float
    ) -> SeenFace[Answer] | None:
        """The last look at a track, where its answer still holds; None where the network must look again.

        Args:
            track_id: of the face.
            frame: uint8 ``(height, width, 3)``; one of another size than before shows nothing that can be compared.
            landmarks: of the face, float32 ``(468 or 478, 3)``, pixels.
            box: around the landmarks.
            time_s: time of the frame, seconds.
        """
        seen = self._seen.get(track_id)
        if seen is None or not 0 <= time_s - seen.time_s <= _LONGEST_S or seen.size != frame.shape[:2]:
            return None
        moved = np.abs(landmarks[:, :2] - seen.landmarks[:, :2]).max()
        if moved > _MOVED * max(box.width, box.height):
            return None
        changes = cv2.absdiff(_shown(frame, seen.place), seen.picture)
        blocks = cv2.resize(changes, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
        return seen if int(blocks.max()) <= _DIFFERENT else None

    def remember(
        self,
        track_id: int,
        frame: NDArray[np.uint8],
        landmarks: NDArray[np.float32],
        box: Box,
        time_s: float,
        answer: Answer,
    ) -> None:
        """The network looked; arguments as for :meth:`last_look`."""
        place = _place(box, frame.shape)
        if place[0] >= place[2] or place[1] >= place[3]:  # outside the frame: nothing to compare
            return
        self._seen.pop(track_id, None)
        while len(self._seen) >= self._most:
            del self._seen[next(iter(self._seen))]
        size = frame.shape[0], frame.shape[1]
        self._seen[track_id] = SeenFace(size, place, _shown(frame, place), landmarks, time_s, answer)


def _place(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    across, down = _MARGIN * box.width, _MARGIN * box.height
    return (
        max(int(box.left - across), 0),
        max(int(box.top - 2 * down), 0),
        min(int(box.left + box.width + across) + 1, shape[1]),
        min(int(box.top + box.height + down) + 1, shape[0]),
    )


def _shown(frame: NDArray[np.uint8], place: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    left, top, right, bottom = place
    part = frame[top:bottom, left:right]
    return np.asarray(cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
