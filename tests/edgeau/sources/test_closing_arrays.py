"""Frames of a user's generator: closed whenever somebody closes the source, also while another thread runs the generator."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edgeau.sources import Source, open_source
from edgeau.sources.paced import PacedSource

PICTURE = np.zeros((4, 6, 3), np.uint8)


class Work:
    """A generator that is inside its body from ``inside`` to ``go_on``, and notes that it was closed."""

    def __init__(self) -> None:
        self.inside, self.go_on, self.closed = threading.Event(), threading.Event(), threading.Event()

    def frames(self) -> Iterator[np.ndarray]:
        try:
            yield PICTURE
            self.inside.set()
            assert self.go_on.wait(60)
            while True:
                yield PICTURE
        finally:
            self.closed.set()


def reading(source: Source) -> tuple[threading.Thread, list[int | BaseException]]:
    taken: list[int | BaseException] = []

    def read() -> None:
        try:
            taken.extend(frame.index for frame in source)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            taken.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread, taken


@pytest.mark.parametrize("real_time", [False, True])
def test_a_generator_that_another_thread_runs_is_closed_after_its_item(*, real_time: bool) -> None:
    work = Work()
    source = open_source(work.frames(), real_time=real_time)
    thread, taken = reading(source)
    assert work.inside.wait(60)
    source.close()  # does not wait: the generator may never come back
    assert not work.closed.is_set()
    work.go_on.set()
    thread.join(60)
    assert taken == [0], "nothing comes after closing"
    assert work.closed.is_set()
    source.close()


def test_a_generator_between_two_frames_is_closed_at_once() -> None:
    work = Work()
    with open_source(work.frames()) as source:
        frames = iter(source)
        next(frames)
    assert work.closed.is_set()
    assert list(frames) == []


def test_a_generator_may_close_its_own_source() -> None:
    closed = []

    def frames() -> Iterator[np.ndarray]:
        try:
            yield PICTURE
            source.close()
            yield PICTURE
        finally:
            closed.append(True)

    source = open_source(frames())
    assert [frame.index for frame in source] == [0]
    assert closed == [True]


def test_what_is_no_generator_is_closed_by_its_own_method() -> None:
    """It may be what ends the waiting of the thread that reads."""

    class Camera:
        def __init__(self) -> None:
            self.closed = threading.Event()

        def __iter__(self) -> Camera:
            return self

        def __next__(self) -> np.ndarray:
            assert self.closed.wait(60)
            raise StopIteration

        def close(self) -> None:
            self.closed.set()

    source = open_source(Camera())
    thread, taken = reading(source)
    source.close()
    thread.join(60)
    assert not thread.is_alive()
    assert taken == []


def test_a_film_that_is_closed_between_two_repetitions_is_not_opened_again(tmp_path) -> None:
    opened = []

    class Film(Source):
        name, fps, still = "film", 1000.0, False

        def __init__(self) -> None:
            self.closed = False
            opened.append(self)

        def __iter__(self):
            yield from open_source([PICTURE])
            if len(opened) == 2:
                source.close()

        def close(self) -> None:
            self.closed = True

    source = PacedSource(Film, repeat=True)
    list(source)
    assert len(opened) == 2
    assert all(film.closed for film in opened)
