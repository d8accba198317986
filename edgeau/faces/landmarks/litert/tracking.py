"""Faces from frame to frame: those that were there are looked at where they were, and new ones are searched for."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.checking import CheckedFace, FaceChecker
from edgeau.faces.landmarks.litert.detection import (
    FaceDetector,
    Overview,
    TileMemory,
    has_changed,
    overview_of,
)
from edgeau.faces.landmarks.litert.picture_search import certain_faces_in_tiles
from edgeau.faces.landmarks.litert.region import Region, is_same_face, overlap

__all__ = ["Tracking", "joined"]

# A found face whose region overlaps a followed one this much is the followed one (``AssociationNormRectCalculator``).
_SAME_FACE = 0.5
# Frames between two searches in tiles, which cost as much as some ten frames: a second of most films. Ours.
_FAR_EVERY = 25
# Fewest frames between two of them, where faces come and go all the time. Ours.
_FAR_AGAIN = 5
# Frames between two searches of a whole frame in which nothing changed but the faces that are followed. Ours.
_SEARCH_EVERY = 10
# Frames after the loss of a face in which the whole frame is searched for it, whether anything changed or not. Ours.
_MISSED = 25
# Frames between two tries to turn a doubtful face, or an empty frame. Ours.
_TURN_EVERY = 10
# Fewest frames between two tries for doubtful faces that are new. Ours.
_TURN_AGAIN = 3


class Tracking:
    """The faces of a film.

    Args:
        detector: detector of faces.
        checker: checker of landmarks.
    """

    def __init__(self, detector: FaceDetector, checker: FaceChecker) -> None:
        self._detector = detector
        self._checker = checker
        self.reset()

    def reset(self) -> None:
        """Forget the frames so far: another film comes next."""
        self._followed: list[Region] = []
        self._count = 0
        self._far_at = -_FAR_EVERY
        self._righted_at = -_TURN_AGAIN
        self._lost = False
        self._lost_at = -_MISSED
        self._tiles = TileMemory()
        self._searched: Overview | None = None
        self._searched_at = 0

    def begin(self, faces: Sequence[CheckedFace]) -> None:
        """Begin a film whose first frame was searched already, in tiles too.

        Args:
            faces: of that frame.
        """
        self.reset()
        self._followed = [face.region for face in faces]
        self._count, self._far_at = 1, 0

    def faces(
        self, frame: NDArray[np.uint8], most: int, *, far: bool, search_every: int = 1
    ) -> list[CheckedFace]:
        """The faces of the next frame.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            most: how many faces at most.
            far: whether small faces are looked for too, in tiles: in the first frame, after a face was lost, and once in
                so many frames.
            search_every: so many frames lie between two searches of the whole frame, at least, while no face is lost.
        """
        turn = self._count % _TURN_EVERY == 0
        faces = [face for region in self._followed if (face := self._followed_face(frame, region, turn=turn))]
        if len(faces) < len(self._followed):
            self._lost, self._lost_at = True, self._count
        misses_one = not faces or self._count - self._lost_at < _MISSED
        is_due = misses_one or self._count - self._searched_at >= search_every
        new = (
            self._new_faces(frame, most, in_any_case=turn or misses_one)
            if len(self._followed) < most and is_due
            else []
        )
        faces += new
        again = turn or (
            self._count - self._righted_at >= _TURN_AGAIN and not all(face.is_certain for face in new)
        )
        if again:
            faces = [self._checker.settle(frame, face) for face in faces]
            if not all(face.is_certain for face in faces):
                faces = self._righted(frame, faces, most)
                self._righted_at = self._count
        faces = self._distinct(frame, faces)
        if far and len(faces) < most and self._is_time_for_far():
            faces += certain_faces_in_tiles(
                frame, self._detector, self._checker, faces, most, memory=self._tiles
            )
            self._far_at, self._lost = self._count, False
        self._followed = [face.region for face in faces]
        self._count += 1
        return faces

    def _followed_face(self, frame: NDArray[np.uint8], region: Region, *, turn: bool) -> CheckedFace | None:
        face = self._checker.next_look(frame, region)
        if face is None or not turn:
            return face
        face = self._checker.settle(frame, face)
        return face if face.is_certain else self._checker.find_turned(frame, region) or face

    def _new_faces(self, frame: NDArray[np.uint8], most: int, *, in_any_case: bool) -> list[CheckedFace]:
        overview = overview_of(frame)
        if self._followed and not in_any_case and self._is_searched(overview):
            return []
        self._searched, self._searched_at = overview, self._count
        candidates = self._detector.detect_in_overview(overview)
        found = [candidate.region for candidate in candidates[:most]]
        regions = joined(self._followed, found, most)[len(self._followed) :]
        faces = []
        for region in regions:
            face = self._checker.first_look(frame, region, keep=True)
            if face is not None and not face.is_certain:
                face = self._checker.find_turned(frame, region) or face
            if face is not None:
                faces.append(face)
        if self._count % _TURN_EVERY == 0 and not self._followed and not faces:
            faces = self._turned_faces(frame, most)
        return faces

    def _is_searched(self, overview: Overview) -> bool:
        """Tell whether nothing can have come since the last search: what changed are the followed faces alone."""
        before = self._searched
        if (
            before is None
            or before.region != overview.region
            or self._count - self._searched_at >= _SEARCH_EVERY
        ):
            return False
        whole, size = overview.region, overview.picture.shape[0]
        corner_x, corner_y = whole.x - whole.side / 2, whole.y - whole.side / 2
        apart = cv2.absdiff(before.picture, overview.picture)
        for region in self._followed:
            x, y, half = (
                value * size / whole.side
                for value in (region.x - corner_x, region.y - corner_y, region.side / 2)
            )
            # A face that left the frame to the left or above ends before it begins: a negative end would mean nearly all.
            top, bottom, left, right = (
                max(int(value), 0) for value in (y - half, y + half + 1, x - half, x + half + 1)
            )
            apart[top:bottom, left:right] = 0
        return not has_changed(apart)

    def _righted(self, frame: NDArray[np.uint8], faces: list[CheckedFace], most: int) -> list[CheckedFace]:
        """The faces, doubtful ones exchanged for what is certain at their places when the whole frame is turned.

        Turning the place of a doubtful face alone is not enough: of a face that stands on its head the detector gives another place.
        """
        found = self._turned_faces(frame, most)
        kept = [
            face
            for face in faces
            if face.is_certain or not any(is_same_face(face.region, other.region) for other in found)
        ]
        return (kept + found)[:most]

    def _turned_faces(self, frame: NDArray[np.uint8], most: int) -> list[CheckedFace]:
        faces: list[CheckedFace] = []
        for turns in (1, 2, 3):
            for candidate in self._detector.detect(frame, turns):
                known = any(is_same_face(candidate.region, face.region) for face in faces)
                if known or len(faces) >= most:
                    continue
                face = self._checker.first_look(frame, candidate.region, keep=False)
                if face is not None and face.is_certain:
                    faces.append(face)
        return faces

    def _distinct(self, frame: NDArray[np.uint8], faces: Sequence[CheckedFace]) -> list[CheckedFace]:
        """The faces, each once: of two at one place the surer one."""
        kept: list[CheckedFace] = []
        for face in faces:
            same = next(
                (place for place, other in enumerate(kept) if is_same_face(face.region, other.region)), None
            )
            if same is None:
                kept.append(face)
                continue
            one, other = (self._checker.settle(frame, of_two) for of_two in (kept[same], face))
            kept[same] = other if other.presence > one.presence else one
        return kept

    def _is_time_for_far(self) -> bool:
        since = self._count - self._far_at
        return since >= _FAR_EVERY or (self._lost and since >= _FAR_AGAIN)


def joined(followed: Sequence[Region], found: Sequence[Region], most: int) -> list[Region]:
    """Regions to look at.

    Args:
        followed: where the faces of the last frame are.
        found: by the detector in this frame, the surest first.
        most: how many at most; followed faces come first. MediaPipe itself may exceed its number here for a frame.
    """
    regions = list(followed)
    for region in found:
        if all(overlap(region, other) <= _SAME_FACE for other in regions):
            regions.append(region)
    return regions[:most]
