"""Every face of one picture by itself: large and small, upright and turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.checking import CheckedFace, FaceChecker
from edgeau.faces.landmarks.litert.detection import Candidate, FaceDetector, TileMemory
from edgeau.faces.landmarks.litert.region import is_same_face, is_turned_alike

__all__ = ["certain_faces_in_tiles", "faces_of_picture"]

_TURNS = (1, 2, 3)
# Score of the detector in the whole frame from which on something is a face, whatever its landmarks are worth. Ours.
_FACE_SCORE = 0.8
# Doubtful places that are looked at in three more turns, at some 10 ms each. Ours.
_MOST_TURNED = 8

_Doubt = tuple[Candidate, CheckedFace]


def faces_of_picture(
    frame: NDArray[np.uint8], detector: FaceDetector, checker: FaceChecker, most: int, *, far: bool
) -> list[CheckedFace]:
    """The faces, certain ones first.

    A search in tiles costs as much as some ten frames, and one in turned tiles three times that. So there is none where the whole frame
    shows as many faces as are asked for, certain or likely, and none in turned tiles where it shows any, or where the detector is sure
    of one whose landmarks are doubtful.

    Args:
        frame: BGR, uint8 ``(height, width, 3)``.
        detector: detector of faces.
        checker: checker of landmarks.
        most: how many at most.
        far: whether small faces are looked for too, in tiles.
    """
    search = _PictureSearch(frame, detector, checker, most)
    search.look_upright(detector.detect(frame))
    if far and len(search.found) + len(search.likely) < most:
        search.look_upright(detector.detect_in_tiles(frame))
    if len(search.found) >= most:
        return search.found
    search.look_turned()
    if far and not search.found and not search.likely and not search.sees_doubtful:
        for turns in _TURNS:
            for face in certain_faces_in_tiles(frame, detector, checker, search.found, most, turns):
                _add(face, search.found)
    search.take_doubtful()
    return search.found


def certain_faces_in_tiles(
    frame: NDArray[np.uint8],
    detector: FaceDetector,
    checker: FaceChecker,
    known: list[CheckedFace],
    most: int,
    quarter_turns: int = 0,
    memory: TileMemory | None = None,
) -> list[CheckedFace]:
    """Small faces other than those that are known, certain ones only.

    Args:
        frame: BGR, uint8 ``(height, width, 3)``.
        detector: detector of faces.
        checker: checker of landmarks.
        known: faces that are not given again.
        most: largest number of known and new ones together.
        quarter_turns: to turn the tiles by before they are looked at.
        memory: of the film that the frame is of.
    """
    every = list(known)
    places = [face.region for face in known]
    for candidate in detector.detect_in_tiles(frame, quarter_turns, memory, places):
        if len(every) >= most:
            break
        if _is_known(candidate, every):
            continue
        face = checker.first_look(frame, candidate.region, keep=False)
        if face is not None and face.is_certain:
            _add(face, every)
    return every[len(known) :]


@dataclass(frozen=True)
class _PictureSearch:
    """A picture and what was found in it so far.

    Attributes:
        frame: BGR, uint8 ``(height, width, 3)``.
        detector: detector of faces.
        checker: checker of landmarks.
        most: how many faces at most.
        found: certain faces.
        likely: faces of the whole frame that are rather right than garbage.
        doubtful: the rest.
    """

    frame: NDArray[np.uint8]
    detector: FaceDetector
    checker: FaceChecker
    most: int
    found: list[CheckedFace] = field(default_factory=list)
    likely: list[_Doubt] = field(default_factory=list)
    doubtful: list[_Doubt] = field(default_factory=list)

    def look_upright(self, candidates: Sequence[Candidate]) -> None:
        """Sort candidates into certain, likely and doubtful faces."""
        for candidate in candidates:
            if len(self.found) >= self.most:
                break
            if _is_known(candidate, self.found):
                continue
            whole = not candidate.from_tile
            face = self.checker.first_look(
                self.frame, candidate.region, keep=whole, score=candidate.score if whole else 0.0
            )
            if face is None:
                continue
            if face.is_certain:
                _add(face, self.found)
            elif (
                face.is_reliable
                and not candidate.from_tile
                and not _is_known(candidate, [other for _, other in self.likely])
            ):
                self.likely.append((candidate, face))
            else:
                self.doubtful.append((candidate, face))

    def look_turned(self) -> None:
        """Add faces that stand on their sides or heads.

        Where a likely face is, the detector is the surer the nearer to upright it sees it: what it is less sure of in a turned frame is that face seen askew.
        """
        for turns in _TURNS:
            for candidate in self.detector.detect(self.frame, turns):
                if self._is_done_with(candidate) or _is_askew(candidate, self.likely):
                    continue
                face = self.checker.first_look(self.frame, candidate.region, keep=False)
                if face is not None and face.is_certain:
                    _add(_upright_one(face, self.likely), self.found)
        for candidate, _ in self.doubtful[:_MOST_TURNED]:
            if not self._is_done_with(candidate):
                face = self.checker.find_turned(self.frame, candidate.region)
                if face is not None:
                    _add(face, self.found)

    @property
    def sees_doubtful(self) -> bool:
        """True where the detector is sure that the whole frame shows a face, though its landmarks are doubtful."""
        return any(not place.from_tile and place.score >= _FACE_SCORE for place, _ in self.doubtful)

    def take_doubtful(self) -> None:
        """Add what the whole frame shows with its doubt; what only a tile shows is mostly no face."""
        for candidate, face in (*self.likely, *self.doubtful):
            if not candidate.from_tile and not self._is_done_with(candidate):
                _add(face, self.found)

    def _is_done_with(self, candidate: Candidate) -> bool:
        return len(self.found) >= self.most or _is_known(candidate, self.found)


def _is_askew(candidate: Candidate, likely: Sequence[_Doubt]) -> bool:
    return any(
        is_same_face(candidate.region, face.region) and candidate.score <= upright.score
        for upright, face in likely
    )


def _upright_one(face: CheckedFace, likely: Sequence[_Doubt]) -> CheckedFace:
    """Take what a turned search found; where that is an upright face which was doubted, the points that MediaPipe gives it."""
    for _, other in likely:
        if is_same_face(face.region, other.region) and is_turned_alike(face.region, other.region):
            return replace(other, presence=face.presence, is_certain=True)
    return face


def _add(face: CheckedFace, faces: list[CheckedFace]) -> None:
    if not any(is_same_face(face.region, other.region) for other in faces):
        faces.append(face)


def _is_known(candidate: Candidate, faces: list[CheckedFace]) -> bool:
    return any(is_same_face(candidate.region, face.region) for face in faces)
