"""Pictures one after the other: where one continues the picture before, faces are looked at where they were; any other is searched by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.checking import CheckedFace, FaceChecker
from edgeau.faces.landmarks.litert.detection import FaceDetector
from edgeau.faces.landmarks.litert.picture_search import faces_of_picture
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.litert.tracking import Tracking

__all__ = ["CUT", "PictureSequence", "difference", "face_cells"]

CUT = 10.0
"""Mean difference at the place of a face, in levels of 255, from which on a picture does not continue the one before.

Ours, between what ``python benchmarks/cuts.py`` measures: neighbouring frames of a lively talk, of which 95 % stay below it, and 122 photos
that are cut to their faces, of which no two are below it but copies of one photo (docs/finding-faces-measured.md).
"""

# Cells along a side that a face is averaged to before it is compared: fewer would take one face for another, and with many more of them
# a small movement would be a cut.
_CELLS = 16
# Pixels read along a side of a face. Reading all of a large one would cost more than is saved.
_READ = 64
# A region is 1.5 times as wide as the box of its face.
_FACE = 1 / 1.5


class PictureSequence:
    """The faces of pictures that may follow each other, as in a loop over the frames of a camera.

    A picture continues the one before if it has the same size, hardly differs where the faces were (:data:`CUT`), and is not the very same there:
    a picture that is given twice is searched twice, and gets the same answer.

    Args:
        detector: detector of faces.
        checker: checker of landmarks.
    """

    def __init__(self, detector: FaceDetector, checker: FaceChecker) -> None:
        self._detector = detector
        self._checker = checker
        self._tracking = Tracking(detector, checker)
        self._seen: _Seen | None = None

    def reset(self) -> None:
        """Forget the picture before: the next one is searched by itself."""
        self._seen = None

    def faces(self, frame: NDArray[np.uint8], most: int, *, far: bool, follow: bool) -> list[CheckedFace]:
        """The faces of the next picture.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            most: how many faces at most.
            far: whether small faces are looked for too, in tiles.
            follow: whether it may continue the picture before; else it is searched by itself.
        """
        faces = self._followed(frame, most, far=far) if follow else None
        if faces is None:
            faces = faces_of_picture(frame, self._detector, self._checker, most, far=far)
            self._tracking.begin(faces)
        self._seen = _Seen.of(frame, most, faces)
        return faces

    def _followed(self, frame: NDArray[np.uint8], most: int, *, far: bool) -> list[CheckedFace] | None:
        """The faces of a picture that continues the one before; None where it does not, or where a face was lost or became doubtful."""
        before = self._seen
        if before is None or not before.is_continued_by(frame, most):
            return None
        faces = self._tracking.faces(frame, most, far=far)
        whole = len(faces) >= len(before.places) and _reliable(faces) >= before.reliable
        return faces if whole else None


@dataclass(frozen=True)
class _Seen:
    """What a picture showed.

    Attributes:
        shape: of the picture.
        most: how many faces were looked for at most.
        reliable: how many of its faces are not doubtful.
        places: of all its faces.
        looks: of the faces, uint8 ``(16, 16, 3)`` each.
    """

    shape: tuple[int, ...]
    most: int
    reliable: int
    places: tuple[Region, ...]
    looks: tuple[NDArray[np.uint8], ...]

    @classmethod
    def of(cls, frame: NDArray[np.uint8], most: int, faces: Sequence[CheckedFace]) -> _Seen | None:
        """None where no face is there to be followed."""
        places = tuple(face.region for face in faces)
        looks = tuple(look for place in places if (look := face_cells(frame, place)) is not None)
        if not places or len(looks) < len(places):
            return None
        return cls(frame.shape, most, _reliable(faces), places, looks)

    def is_continued_by(self, frame: NDArray[np.uint8], most: int) -> bool:
        if frame.shape != self.shape or most != self.most:
            return False
        now = (
            face_cells(frame, place) for place in self.places
        )  # the shape is the same, so that they lie in it too
        apart = max(
            difference(before, look) for before, look in zip(self.looks, now, strict=True) if look is not None
        )
        return 0 < apart < CUT


def _reliable(faces: Sequence[CheckedFace]) -> int:
    return sum(face.is_reliable for face in faces)


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of two faces in cells, levels of 255; what :data:`CUT` bounds."""
    return cv2.norm(one, other, cv2.NORM_L1) / one.size


def face_cells(frame: NDArray[np.uint8], place: Region) -> NDArray[np.uint8] | None:
    """The part of a frame that shows a face, averaged to few cells.

    Args:
        frame: BGR, uint8 ``(height, width, 3)``.
        place: region of the face.

    Returns:
        uint8 ``(16, 16, 3)``; None where the region lies outside of the frame.
    """
    half = place.side * _FACE / 2
    left, right = max(int(place.x - half), 0), max(int(place.x + half) + 1, 0)
    top, bottom = max(int(place.y - half), 0), max(int(place.y + half) + 1, 0)
    face = frame[top:bottom, left:right]
    if not face.size:
        return None
    read = cv2.resize(face, (_READ, _READ), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(read, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA), np.uint8)
