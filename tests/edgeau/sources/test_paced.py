"""A file played as a camera would give it: its own times on one side, the machine's on the other."""

from __future__ import annotations

import threading
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau.sources import open_source


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 50, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
    writer.release()
    return path


def test_frames_come_at_their_own_rate(film: Path) -> None:
    with open_source(film, real_time=True) as source:
        assert (source.live, source.fps, source.length) == (True, 50, 10)
        begun_s = time.monotonic()
        frames = list(source)
        took_s = time.monotonic() - begun_s
    assert took_s >= 9 / 50
    assert [frame.time_s for frame in frames] == pytest.approx([index / 50 for index in range(10)], abs=1e-3)
    due_s = np.diff([frame.captured_s for frame in frames])
    np.testing.assert_allclose(due_s, 1 / 50, atol=1e-3)


def test_another_rate_can_be_asked_for(film: Path) -> None:
    with open_source(film, real_time=True, fps=200) as source:
        assert source.fps == 200
        assert [frame.time_s for frame in source] == pytest.approx([index / 200 for index in range(10)])


def test_a_repeated_film_goes_on_in_number_and_time(film: Path) -> None:
    with open_source(film, real_time=True, repeat=True, fps=500) as source:
        assert source.length is None
        frames = list(islice(source, 25))
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 500 for index in range(25)])
    np.testing.assert_array_equal(frames[3].image, frames[13].image)


def test_a_repetition_keeps_the_films_own_times(film: Path) -> None:
    with open_source(film, real_time=True, repeat=True) as source:
        times = [frame.time_s for frame in islice(source, 12)]
    assert times[10:] == pytest.approx([10 / 50, 11 / 50], abs=1e-3)


def test_waiting_for_the_next_frame_can_be_stopped(film: Path) -> None:
    with open_source(film, real_time=True, fps=0.1) as source:
        threading.Timer(0.2, source.stop).start()
        begun_s = time.monotonic()
        assert len(list(source)) == 1
        assert time.monotonic() - begun_s < 2


def test_pictures_have_no_rate_of_their_own(tmp_path: Path) -> None:
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match="no times of its own"):
        open_source(tmp_path, real_time=True)
    with open_source(tmp_path, real_time=True, fps=100) as source:
        assert len(list(source)) == 2


def test_an_iterable_can_be_paced() -> None:
    arrays = [np.zeros((4, 4, 3), np.uint8)] * 5
    with open_source(arrays, real_time=True, fps=100) as source:
        times = [frame.captured_s for frame in source]
    np.testing.assert_allclose(np.diff(times), 0.01, atol=1e-3)
