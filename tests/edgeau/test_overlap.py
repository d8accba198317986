"""A film in threads: the same answers in the same order, and every way to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.action_units.network import AUDetector
from edgeau.errors import EngineError, InputError, UsageError
from edgeau.results import FrameResult
from edgeau.sources import Frame, Source


class Film(Source):
    """Frames that shift by some pixels; ``error`` comes after the last one."""

    def __init__(self, picture: np.ndarray, count: int = 12, error: Exception | None = None) -> None:
        self.name, self.fps, self.length = "film", 25.0, count
        self._picture, self._count, self._error = picture, count, error
        self.given = 0

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._count):
            self.given += 1
            yield Frame(number, number / 25, np.roll(self._picture, 2 * number, axis=1), f"frame {number}")
        if self._error is not None:
            raise self._error


@pytest.fixture
def pipeline(bundle_path: Path) -> Iterator[Pipeline]:
    with Pipeline.load(bundle_path, threads=1, max_faces=2) as opened:
        yield opened


def document(results: list[FrameResult]) -> list[dict]:
    return [{**result.to_dict(landmarks=True), "boxes": result.boxes.tolist()} for result in results]


@pytest.mark.parametrize("cores", [2, 5])
def test_answers_are_those_of_one_thread(pipeline: Pipeline, astronaut: np.ndarray, cores: int) -> None:
    one = list(pipeline.stream(Film(astronaut)))
    many = list(pipeline.stream(Film(astronaut), cores=cores))
    assert document(many) == document(one)
    for first, second in zip(one, many, strict=True):
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert all(result.faces for result in many)


def test_skipping_is_the_same_too(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path, threads=1, max_faces=1, skip="on") as pipeline:
        still = [list(pipeline.stream(Film(astronaut * 0 + astronaut), cores=cores)) for cores in (1, 3)]
    assert document(still[0]) == document(still[1])


def test_a_broken_film_gives_what_came_before(pipeline: Pipeline, astronaut: np.ndarray) -> None:
    results = pipeline.stream(Film(astronaut, 6, InputError("cut short")), cores=2)
    assert [result.index for result in islice(results, 6)] == list(range(6))
    with pytest.raises(InputError, match="cut short"):
        next(results)


@pytest.mark.parametrize("stage", ["find", "read"])
def test_what_a_stage_raises_is_raised(
    pipeline: Pipeline, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    real: Callable = getattr(pipeline.stages, stage)

    def failing(frame: Frame, *given: object) -> object:
        if frame.index == 3:
            raise EngineError("lost")
        return real(frame, *given)

    monkeypatch.setattr(pipeline.stages, stage, failing)
    results = pipeline.stream(Film(astronaut), cores=2)
    assert len(list(islice(results, 3))) == 3
    with pytest.raises(EngineError, match="lost"):
        next(results)


def test_an_end_before_the_film_s_leaves_no_thread_and_reads_little_ahead(
    pipeline: Pipeline, astronaut: np.ndarray
) -> None:
    before, film = threading.active_count(), Film(astronaut, 500)
    results = pipeline.stream(film, cores=2)
    next(results)
    results.close()
    assert threading.active_count() == before
    assert film.given < 20


def test_another_stream_takes_over(pipeline: Pipeline, astronaut: np.ndarray) -> None:
    first = pipeline.stream(Film(astronaut, 100), cores=2)
    next(first)
    pipeline.track(astronaut)
    with pytest.raises(UsageError, match="another stream of this pipeline began"):
        list(first)


def test_threads_of_a_wide_detector_get_the_answers_of_one(bundle_path: Path, crops: np.ndarray) -> None:
    with AUDetector.load(bundle_path, threads=1) as detector:
        expected = detector.logits(crops[:1])
        detector.widen(3)
        found: list[np.ndarray] = []
        threads = [
            threading.Thread(target=lambda: found.extend(detector.logits(crops[:1]) for _ in range(20)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 80
    assert all(np.array_equal(one, expected) for one in found)
    with pytest.raises(UsageError, match="closed"):
        detector.logits(crops[:1])
