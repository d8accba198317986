"""Pictures one after the other: in a loop over a camera's frames, faces are looked at where they were; any other picture is searched by itself."""

from __future__ import annotations

from collections import deque
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

__all__ = ["CUT", "RUN", "PictureSequence", "difference", "face_cells"]

CUT = 10.0
"""Mean difference at the place of a face, in levels of 255, from which on a picture does not continue the one before.

Ours, between what ``python benchmarks/cuts.py`` measures: neighbouring frames of a lively talk, of which 97 % stay below it, and 122 photos
that are cut to their faces, of which no two are below it but copies of one photo (docs/finding-faces-measured.md).
"""

RUN = 5
"""Pictures, each continuing the one before, that are searched by themselves before one is followed: a fifth of a second of most cameras. Ours.

Each cut after that takes one back.
"""

# Pictures that are compared with a new one, whether it is the very same, and the pixels along a side that they are compared by.
_KEPT, _PRINT = 16, 24
# Cells along a side that a face is averaged to before it is compared: fewer would take one face for another, and with many more of them
# a small movement would be a cut.
_CELLS = 16
# Pixels read along a side of a face. Reading all of a large one would cost more than is saved.
_READ = 64
# Share of its side by which a face may move before another place is compared. Ours.
_NEAR = 0.1
# A region is 1.5 times as wide as the box of its face.
_FACE = 1 / 1.5


class PictureSequence:
    """The faces of pictures that may follow each other, as in a loop over the frames of a camera.

    A picture continues the one before if it has the same size, hardly differs where the faces were (:data:`CUT`), and is none of the
    last pictures again: no camera gives the very same picture twice. The :data:`RUN` first pictures that continue each other are searched by
    themselves like any others, so that neither a picture that is given twice nor one beside a copy in another format depends on the other.

    Args:
        detector: detector of faces.
        checker: checker of landmarks.
    """

    def __init__(self, detector: FaceDetector, checker: FaceChecker) -> None:
        self._detector = detector
        self._checker = checker
        self._tracking = Tracking(detector, checker)
        self._seen: _Seen | None = None
        self._run = 0
        self._prints: deque[bytes] = deque(maxlen=_KEPT)

    def reset(self) -> None:
        """Forget the pictures before: the next one is searched by itself."""
        self._seen, self._run = None, 0
        self._prints.clear()

    def faces(self, frame: NDArray[np.uint8], most: int, *, far: bool, follow: bool) -> list[CheckedFace]:
        """The faces of the next picture.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            most: how many faces at most.
            far: whether small faces are looked for too, in tiles.
            follow: whether it may continue the picture before; else it is searched by itself.
        """
        before = self._seen
        at_same_places = before.at_same_places(frame, most) if follow and before is not None else []
        continues = before is not None and before.is_continued_by(at_same_places)
        is_new = self._is_new(frame)
        if not is_new:
            self._run = 0
        elif continues:
            self._run = min(self._run + 1, RUN)
        else:  # a loop goes on after a cut; only after several it was none
            self._run = max(self._run - 1, 0)
        faces = None
        if before is not None and self._run >= RUN:
            faces = self._followed(frame, before, far=far)
        if faces is None:
            faces = faces_of_picture(frame, self._detector, self._checker, most, far=far)
            self._tracking.begin(faces)
        self._seen = _Seen.of(frame, most, faces, at_same_places)
        return faces

    def _is_new(self, frame: NDArray[np.uint8]) -> bool:
        """Tell whether a picture is none of the last ones, and remember it."""
        pixels = cv2.resize(frame, (_PRINT, _PRINT), interpolation=cv2.INTER_NEAREST).tobytes()
        known = pixels in self._prints
        self._prints.append(pixels)
        return not known

    def _followed(self, frame: NDArray[np.uint8], before: _Seen, *, far: bool) -> list[CheckedFace] | None:
        """The faces, looked at where they were; None where one was lost or became doubtful."""
        faces = self._tracking.faces(frame, before.most, far=far)
        whole = len(faces) >= len(before.looks) and _reliable(faces) >= before.reliable
        return faces if whole else None


@dataclass(frozen=True)
class _FaceView:
    """A picture at the place of a face: ``place``, and ``cells``, uint8 ``(16, 16, 3)``."""

    place: Region
    cells: NDArray[np.uint8]

    def is_near(self, other: Region) -> bool:
        """Tell whether another place shows nearly the same."""
        close = _NEAR * self.place.side
        return (
            abs(self.place.x - other.x) < close
            and abs(self.place.y - other.y) < close
            and abs(self.place.side - other.side) < close
        )


@dataclass(frozen=True)
class _Seen:
    """Memory of a picture: its faces.

    Attributes:
        shape: of the picture.
        most: how many faces were looked for at most.
        reliable: how many of its faces are not doubtful.
        looks: at all its faces.
    """

    shape: tuple[int, ...]
    most: int
    reliable: int
    looks: tuple[_FaceView, ...]

    @classmethod
    def of(
        cls, frame: NDArray[np.uint8], most: int, faces: Sequence[CheckedFace], known: Sequence[_FaceView]
    ) -> _Seen | None:
        """Remember what a picture shows; None where no face is there to be followed.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            most: how many faces were looked for at most.
            faces: of the picture.
            known: looks at the same picture; faces that are near them are not looked at again, which costs a hundredth of a frame.
        """
        looks = []
        for face in faces:
            near = next((look for look in known if look.is_near(face.region)), None)
            cells = face_cells(frame, face.region) if near is None else near.cells
            if cells is None:
                return None
            looks.append(near or _FaceView(face.region, cells))
        return cls(frame.shape, most, _reliable(faces), tuple(looks)) if looks else None

    def at_same_places(self, frame: NDArray[np.uint8], most: int) -> list[_FaceView]:
        """The next picture at the same places; empty where it cannot continue this one."""
        if frame.shape != self.shape or most != self.most:
            return []
        cells = ((look.place, face_cells(frame, look.place)) for look in self.looks)
        return [_FaceView(place, found) for place, found in cells if found is not None]

    def is_continued_by(self, now: Sequence[_FaceView]) -> bool:
        """Tell whether the next picture, given as its looks at the same places, continues this one."""
        if not now:
            return False
        apart = max(difference(one.cells, other.cells) for one, other in zip(self.looks, now, strict=True))
        return apart < CUT


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
