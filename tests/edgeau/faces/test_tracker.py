from __future__ import annotations

import numpy as np

from edgeau.faces.tracker import FaceTracker
from edgeau.results import Box

SHAPE = np.random.default_rng(1).uniform(0, 1, (468, 3)).astype(np.float32)


def box(x: float, size: float = 100, y: float = 0) -> Box:
    return Box(x, y, size, size)


class Film:
    """The tracker of a film of 30 frames a second whose faces all have one shape."""

    def __init__(self) -> None:
        self._tracker, self._now_s = FaceTracker(), 0.0

    def update(self, boxes: list[Box], time_s: float | None = None) -> list[int]:
        self._now_s = self._now_s + 1 / 30 if time_s is None else time_s
        faces = [
            SHAPE * np.float32(one.width) + np.array((one.left, one.top, 0), np.float32) for one in boxes
        ]
        return self._tracker.update(boxes, faces, self._now_s)


def test_faces_keep_their_numbers_in_any_order() -> None:
    tracks = Film()
    assert tracks.update([box(0), box(300)]) == [0, 1]
    assert tracks.update([box(310), box(20)]) == [1, 0]
    assert tracks.update([box(40), box(600), box(320)]) == [0, 2, 1]


def test_the_nearest_face_takes_the_number() -> None:
    tracks = Film()
    tracks.update([box(0)])
    assert tracks.update([box(60), box(10)]) == [1, 0]


def test_a_face_returns_after_a_short_absence_and_not_after_a_long_one() -> None:
    tracks = Film()
    tracks.update([box(0)])
    for _ in range(29):
        assert tracks.update([]) == []
    assert tracks.update([box(0)]) == [0]
    for _ in range(31):
        tracks.update([])
    assert tracks.update([box(0)]) == [1]


def test_the_absence_is_measured_in_time() -> None:
    tracks = Film()
    assert tracks.update([box(0)], time_s=0.0) == [0]
    assert tracks.update([box(10)], time_s=2.0) == [0], "frames far apart are still frames behind one another"
    tracks.update([], time_s=2.5)
    tracks.update([], time_s=3.1)
    assert tracks.update([box(10)], time_s=3.2) == [1]


def test_faces_that_cross_keep_their_numbers_by_their_motion() -> None:
    tracks = Film()
    for step in range(41):
        left, right = box(10 * step, y=0), box(400 - 10 * step, y=20)
        if step % 2:
            assert tracks.update([right, left]) == [1, 0]
        else:
            assert tracks.update([left, right]) == [0, 1]


def test_a_face_that_passes_behind_another_comes_out_with_its_number() -> None:
    tracks = Film()
    for step in range(60):
        x = 10 * step
        still = box(300)
        hidden = 240 < x < 360
        numbers = tracks.update([still] if hidden else [still, box(x, y=30)])
        assert numbers == ([0] if hidden else [0, 1])


def test_shape_tells_apart_what_place_does_not() -> None:
    random = np.random.default_rng(0)
    tracks = FaceTracker()
    one, other = (random.uniform(0, 100, (468, 3)).astype(np.float32) for _ in range(2))
    tracks.update([box(0), box(5)], [one, other], 0.0)
    assert tracks.update([box(2), box(3)], [other, one], 1 / 30) == [1, 0]


def test_another_size_or_place_is_another_face() -> None:
    tracks = Film()
    tracks.update([box(0)])
    assert tracks.update([box(0, size=250)]) == [1]
    assert tracks.update([box(0, y=500)]) == [2]


def test_boxes_without_size_do_no_harm() -> None:
    tracks = Film()
    assert tracks.update([box(0, size=0)]) == [0]
    assert tracks.update([box(0, size=0)]) == [1]


def test_time_that_goes_back_a_little_moves_nobody() -> None:
    """A camera whose clock is corrected; a moving face would be expected far back along its way."""
    tracks = Film()
    for step in range(6):
        assert tracks.update([box(20 * step)], time_s=step / 30) == [0]
    assert tracks.update([box(120)], time_s=0.0) == [0]


def test_time_that_goes_back_far_is_another_recording() -> None:
    tracks = Film()
    assert tracks.update([box(0), box(900)], time_s=3600.0) == [0, 1]
    assert tracks.update([], time_s=0.0) == []
    assert tracks.update([box(0), box(900)], time_s=0.1) == [2, 3]
