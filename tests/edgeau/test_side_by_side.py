"""Pictures on several cores: the same answers in the same order, and every way to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.errors import EngineError, InputError, UsageError
from edgeau.results import FrameResult
from edgeau.sources import Frame, Source


class Pictures(Source):
    """Pictures of a face at several sizes, each by itself; ``error`` comes after the last one."""

    def __init__(self, picture: np.ndarray, count: int = 6, error: Exception | None = None) -> None:
        self.name, self.length, self.still = "pictures", count, True
        self._picture, self._count, self._error = picture, count, error
        self.given = 0

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self._count):
            self.given += 1
            picture = np.roll(self._picture[:, : 512 - 16 * (number % 3)], 40 * (number % 5), axis=1)
            yield Frame(number, 0.0, np.ascontiguousarray(picture), f"picture {number}")
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
    one = list(pipeline.stream(Pictures(astronaut)))
    many = list(pipeline.stream(Pictures(astronaut), cores=cores))
    assert document(many) == document(one)
    for first, second in zip(one, many, strict=True):
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert all(result.faces and result.faces[0].track_id is None for result in many)


def test_pictures_are_looked_at_at_once(
    pipeline: Pipeline, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, counting = 0, 0, threading.Lock()
    real = pipeline.stages.look_at_picture

    def counted(frame: Frame) -> list:
        nonlocal at_once, most
        with counting:
            at_once += 1
            most = max(most, at_once)
        try:
            time.sleep(0.05)  # long enough for the others to come
            return real(frame)
        finally:
            with counting:
                at_once -= 1

    monkeypatch.setattr(pipeline.stages, "look_at_picture", counted)
    assert len(list(pipeline.stream(Pictures(astronaut), cores=3))) == 6
    assert most == 3


def test_one_picture_opens_nothing_more(
    pipeline: Pipeline, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    monkeypatch.setattr(pipeline.stages, "widen", opened.append)
    assert len(list(pipeline.stream(Pictures(astronaut, 1), cores=4))) == 1
    assert opened == []


def test_a_source_that_ends_early_gives_what_came_before(pipeline: Pipeline, astronaut: np.ndarray) -> None:
    results = pipeline.stream(Pictures(astronaut, 4, InputError("picture 4 is damaged")), cores=2)
    assert [result.index for result in islice(results, 4)] == list(range(4))
    with pytest.raises(InputError, match="picture 4 is damaged"):
        next(results)


def test_what_a_look_raises_is_raised_at_its_picture(
    pipeline: Pipeline, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline.stages.look_at_picture

    def failing(frame: Frame) -> list:
        if frame.index == 2:
            raise EngineError("lost")
        return real(frame)

    monkeypatch.setattr(pipeline.stages, "look_at_picture", failing)
    results = pipeline.stream(Pictures(astronaut), cores=3)
    assert len(list(islice(results, 2))) == 2
    with pytest.raises(EngineError, match="lost"):
        next(results)


def test_an_early_end_leaves_no_thread_and_reads_little_ahead(
    pipeline: Pipeline, astronaut: np.ndarray
) -> None:
    before, pictures = threading.active_count(), Pictures(astronaut, 100)
    results = pipeline.stream(pictures, cores=2)
    next(results)
    results.close()
    assert threading.active_count() == before
    assert pictures.given <= 3


def test_another_stream_takes_over(pipeline: Pipeline, astronaut: np.ndarray) -> None:
    first = pipeline.stream(Pictures(astronaut, 100), cores=2)
    next(first)
    pipeline.track(astronaut)
    with pytest.raises(UsageError, match="another stream of this pipeline began"):
        list(first)


def test_a_closed_pipeline_says_so(bundle_path: Path, astronaut: np.ndarray) -> None:
    with Pipeline.load(bundle_path, threads=1, max_faces=1) as pipeline:
        results = pipeline.stream(Pictures(astronaut, 100), cores=2)
        next(results)
    with pytest.raises(UsageError, match="closed"):
        list(results)
