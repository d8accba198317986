"""Every face of one picture by itself: large and small, upright and turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeau.faces.landmarks.litert.checking import CheckedFace, FaceChecker
from edgeau.faces.landmarks.litert.detection import Candidate, FaceDetector
from edgeau.faces.landmarks.litert.region import is_same_face, is_turned_alike
from edgeau.faces.landmarks.litert.tile_memory import TileMemory

__all__ = ["certain_faces_in_tiles", "faces_of_picture"]

_TURNS = (1, 2, 3)
# Doubtful places that are looked at in three more turns, at some 10 ms each. Ours.
_MOST_TURNED = 8


def faces_of_picture(
    frame: NDArray[np.uint8], detector: FaceDetector, checker: FaceChecker, most: int, *, far: bool
) -> list[CheckedFace]:
    """The faces, certain ones first.

    A search in tiles costs as much as some ten frames, and one in turned tiles three times that. So there is none where the whole frame
    shows as many faces as are asked for, certain or likely, and none in turned tiles where it shows any.

    Args:
        frame: BGR, uint8 ``(height, width, 3)``.
        detector: detector of faces.
        checker: checker of landmarks.
        most: how many at most.
        far: whether small faces are looked for too, in tiles.
    """
    found: list[CheckedFace] = []
    likely: list[tuple[Candidate, CheckedFace]] = []
    doubtful: list[tuple[Candidate, CheckedFace]] = []
    _add_upright(frame, detector.detect(frame), checker, found, likely, doubtful, most)
    if far and len(found) + len(likely) < most:
        _add_upright(frame, detector.detect_in_tiles(frame), checker, found, likely, doubtful, most)
    if len(found) >= most:
        return found
    _add_turned(frame, detector, checker, found, likely, doubtful, most)
    if far and not found and not likely:
        for turns in _TURNS:
            for face in certain_faces_in_tiles(frame, detector, checker, found, most, turns):
                _add(face, found)
    # What the whole frame shows is given with its doubt; what only a tile shows is mostly no face.
    for candidate, face in (*likely, *doubtful):
        if not candidate.from_tile and len(found) < most and not _is_known(candidate, found):
            _add(face, found)
    return found


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


def _add_upright(
    frame: NDArray[np.uint8],
    candidates: Sequence[Candidate],
    checker: FaceChecker,
    found: list[CheckedFace],
    likely: list[tuple[Candidate, CheckedFace]],
    doubtful: list[tuple[Candidate, CheckedFace]],
    most: int,
) -> None:
    """Sort candidates into certain faces, faces of the whole frame that are rather right than garbage, and the rest."""
    for candidate in candidates:
        if len(found) >= most:
            break
        if _is_known(candidate, found):
            continue
        face = checker.first_look(frame, candidate.region, keep=not candidate.from_tile)
        if face is None:
            continue
        if face.is_certain:
            _add(face, found)
        elif (
            face.is_reliable
            and not candidate.from_tile
            and not _is_known(candidate, [other for _, other in likely])
        ):
            likely.append((candidate, face))
        else:
            doubtful.append((candidate, face))


def _add_turned(
    frame: NDArray[np.uint8],
    detector: FaceDetector,
    checker: FaceChecker,
    found: list[CheckedFace],
    likely: Sequence[tuple[Candidate, CheckedFace]],
    doubtful: Sequence[tuple[Candidate, CheckedFace]],
    most: int,
) -> None:
    """Faces that stand on their sides or heads.

    Where a likely face is, the detector is the surer the nearer to upright it sees it: what it is less sure of in a turned frame is that face seen askew.
    """
    for turns in _TURNS:
        for candidate in detector.detect(frame, turns):
            if len(found) >= most or _is_known(candidate, found) or _is_askew(candidate, likely):
                continue
            face = checker.first_look(frame, candidate.region, keep=False)
            if face is not None and face.is_certain:
                _add(_upright_one(face, likely), found)
    for candidate, _ in doubtful[:_MOST_TURNED]:
        if len(found) < most and not _is_known(candidate, found):
            face = checker.find_turned(frame, candidate.region)
            if face is not None:
                _add(face, found)


def _is_askew(candidate: Candidate, likely: Sequence[tuple[Candidate, CheckedFace]]) -> bool:
    return any(
        is_same_face(candidate.region, face.region) and candidate.score <= upright.score
        for upright, face in likely
    )


def _upright_one(face: CheckedFace, likely: Sequence[tuple[Candidate, CheckedFace]]) -> CheckedFace:
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
