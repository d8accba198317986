"""How often the whole frame of a stream is searched for further faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.errors import UsageError
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker

pytest.importorskip("ai_edge_litert")
pytest.importorskip("mediapipe")


class Searches:
    """A real landmarker, and whether it searched each frame."""

    def __init__(self) -> None:
        opened = open_landmarker(kind="litert", static=False, max_faces=4)
        assert isinstance(opened, LiteRtLandmarker)
        self._landmarker = opened
        self._count = 0
        search = opened._detector.detect_in_overview

        def counted(*given: object) -> object:
            self._count += 1
            return search(*given)  # type: ignore[arg-type]

        opened._detector.detect_in_overview = counted  # type: ignore[method-assign, assignment]

    def of(self, frames: list[np.ndarray], search_every: int = 1) -> tuple[list[bool], list[int]]:
        """Whether each frame was searched, and how many faces it has."""
        searched, faces = [], []
        for frame in frames:
            before = self._count
            faces.append(len(self._landmarker.find(frame, search_every=search_every)))
            searched.append(self._count > before)
        return searched, faces

    def close(self) -> None:
        self._landmarker.close()


@pytest.fixture
def searches() -> Iterator[Searches]:
    opened = Searches()
    yield opened
    opened.close()


def portrait(picture: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(picture[:280, 90:370], (512, 512)), np.uint8)


def beside(picture: np.ndarray, *, moves: bool) -> list[np.ndarray]:
    """60 frames of a portrait with a wide margin, whose margin stands still or moves."""
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(60):
        margin = rng.integers(0, 256, (16, 16, 3), np.uint8) if moves else np.full((16, 16, 3), 90, np.uint8)
        frame = np.kron(margin, np.ones((64, 64, 1), np.uint8))[:, :1024].astype(np.uint8)
        frame[:512, :512] = portrait(picture)
        frames.append(frame)
    return frames


def test_a_still_scene_is_searched_every_tenth_frame(searches: Searches, astronaut: np.ndarray) -> None:
    searched, faces = searches.of(beside(astronaut, moves=False))
    assert faces == [1] * 60
    assert searched == [number % 10 == 0 for number in range(60)]


def test_a_lost_face_is_searched_for_a_while(searches: Searches, astronaut: np.ndarray) -> None:
    """Of two faces one goes: frames are searched for it for a second, and not to the end of the stream."""
    both = beside(astronaut, moves=False)[0]
    both[512:, :512] = portrait(astronaut)
    one = beside(astronaut, moves=False)
    _, faces = searches.of([both] * 12)
    assert faces[-1] == 2
    searched, faces = searches.of(one)
    assert faces[-1] == 1
    lost = faces.index(1)
    assert all(searched[lost : lost + 25])
    assert sum(searched[lost + 25 :]) <= 4


def test_frames_between_two_searches(searches: Searches, astronaut: np.ndarray) -> None:
    frames = beside(astronaut, moves=True)
    searched, faces = searches.of(frames)
    assert faces == [1] * 60
    assert all(searched)
    searched, faces = searches.of(frames, search_every=7)
    assert faces == [1] * 60
    places = np.flatnonzero(searched)
    assert np.diff(places).min() == np.diff(places).max() == 7


def test_a_frame_without_a_face_is_searched_in_any_case(searches: Searches) -> None:
    searched, _ = searches.of([np.zeros((360, 640, 3), np.uint8)] * 5, search_every=50)
    assert all(searched)


def test_it_is_asked_for_where_a_pipeline_is_loaded(bundle_path: Path) -> None:
    with pytest.raises(UsageError, match="search_every must be 1 or more frames, got 0"):
        Pipeline.load(bundle_path, search_every=0)
