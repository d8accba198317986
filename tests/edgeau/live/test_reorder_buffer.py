"""Results leave in order, wait for the network no longer than allowed, and never pile up."""

from __future__ import annotations

import numpy as np

from edgeau.faces.detected_face import DetectedFace
from edgeau.live.reorder_buffer import PendingFrame, ReorderBuffer
from edgeau.results import ActionUnit, Box, Face, HeadPose
from edgeau.sources import Frame

IMAGE = np.zeros((4, 6, 3), np.uint8)
LANDMARKS = np.zeros((468, 3), np.float32)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """An outbox under a clock that stands still until it is set."""

    def __init__(self, backlog: int = 100) -> None:
        self.clock, self.lost = Clock(), 0
        self.outbox = ReorderBuffer(
            lambda _, found, answer: self.face(found.track_id, None if answer is None else answer.aus_time_s),
            max_age_s=0.15,
            backlog=backlog,
            lose=self.lose,
            clock=self.clock,
        )

    def lose(self) -> None:
        self.lost += 1

    def face(self, track: int, read_s: float | None) -> Face:
        aus = {"AU12": ActionUnit("AU12", 0.5, True)}
        return Face(Box(0, 0, 1, 1), LANDMARKS, track, None, aus, aus_time_s=read_s)

    def add(self, number: int, *tracks: int, waits: bool = False) -> PendingFrame:
        found = [DetectedFace(Box(0, 0, 1, 1), LANDMARKS, track, HeadPose(0, 0, 0)) for track in tracks]
        pending = PendingFrame(Frame(number, float(number), IMAGE, "", self.clock()), found, 1, waits)
        self.outbox.add(pending)
        return pending

    def taken(self) -> list[tuple[int, list[float | None]]]:
        """Frame numbers that can be taken now, each with the time at which its faces were read."""
        found = []
        while (pending := self.outbox.take(0)) is not None:
            found.append((pending.frame.index, [face.aus_time_s for face in pending.faces]))
        return found


def test_a_frame_waits_for_its_answer_and_holds_back_those_behind_it() -> None:
    bench = Bench()
    first = bench.add(0, 7, waits=True)
    bench.add(1, 7)
    assert bench.taken() == []
    bench.outbox.answer(first, [bench.face(7, 0.0)])
    assert bench.taken() == [(0, [0.0]), (1, [0.0])]


def test_an_answer_is_not_given_to_frames_before_it() -> None:
    bench = Bench()
    first = bench.add(0, 7, waits=True)
    bench.add(1, 7)
    third = bench.add(2, 7, waits=True)
    bench.outbox.answer(first, [bench.face(7, 0.0)])
    bench.outbox.answer(third, [bench.face(7, 2.0)])
    assert bench.taken() == [(0, [0.0]), (1, [0.0]), (2, [2.0])]


def test_a_frame_that_gets_too_old_goes_with_the_answer_before() -> None:
    bench = Bench()
    bench.outbox.answer(bench.add(0, 7, waits=True), [bench.face(7, 0.0)])
    late = bench.add(1, 7, waits=True)
    assert bench.taken() == [(0, [0.0])]
    bench.clock.now_s += 0.16
    assert bench.taken() == [(1, [0.0])]
    bench.outbox.answer(late, [bench.face(7, 1.0)])
    bench.add(2, 7)
    assert bench.taken() == [(2, [1.0])], "the late answer serves the next frames"


def test_an_old_frame_goes_also_when_nobody_takes() -> None:
    bench = Bench(backlog=1)
    for number in range(50):
        bench.add(number, 7, waits=number == 0)
        bench.clock.now_s += 0.033
    assert bench.lost > 40


def test_a_face_that_nobody_looked_at_has_no_answer() -> None:
    bench = Bench()
    bench.outbox.answer(bench.add(0, 7, 8, waits=True), [bench.face(7, 0.0)])
    assert bench.taken() == [(0, [0.0, None])]


def test_a_slow_taker_gets_the_newest() -> None:
    bench = Bench(backlog=2)
    for number in range(10):
        bench.add(number)
    assert bench.taken() == [(8, []), (9, [])]
    assert bench.lost == 8


def test_frames_that_waited_for_one_answer_count_as_one() -> None:
    bench = Bench(backlog=1)
    first = bench.add(0, 7, waits=True)
    for number in range(1, 5):
        bench.add(number, 7)
    bench.outbox.answer(first, [])
    assert [number for number, _ in bench.taken()] == [0, 1, 2, 3, 4]
    assert bench.lost == 0


def test_answers_of_faces_that_are_gone_are_forgotten() -> None:
    bench = Bench()
    for number in range(200):
        bench.outbox.answer(bench.add(number, number, waits=True), [bench.face(number, 0.0)])
    assert len(bench.outbox._answers) < 30


def test_it_finishes_when_closed_and_empty() -> None:
    bench = Bench()
    bench.add(0)
    bench.outbox.close()
    assert not bench.outbox.finished
    assert len(bench.taken()) == 1
    assert bench.outbox.finished
