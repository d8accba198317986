"""k is as small as the network's speed, the number of faces and the heat allow."""

from __future__ import annotations

from collections import Counter

import pytest

from edgeau.live.scheduler import DeadlineScheduler

PERIOD_S = 1 / 30


def run(
    scheduler: DeadlineScheduler, tracks: list[int], frames: int, cost_s: float, start_s: float = 0.0
) -> list:
    """Which tracks are looked at in each frame, by a network that takes so long a face and is never late."""
    looked = []
    for frame in range(frames):
        due = scheduler.due(tracks, start_s + frame * PERIOD_S)
        chosen = [tracks[place] for place in due]
        if chosen:
            scheduler.on_dispatch(chosen)
            scheduler.note_cost(len(chosen), cost_s * len(chosen))
        looked.append(chosen)
    return looked


@pytest.mark.parametrize(
    ("faces", "cost_ms", "every"),
    [(1, 5, 1), (1, 29, 1), (1, 40, 2), (2, 25, 2), (4, 25, 4), (4, 6, 1), (1, 100, 4)],
)
def test_every_is_the_least_that_keeps_up(faces: int, cost_ms: float, every: int) -> None:
    scheduler = DeadlineScheduler(PERIOD_S)
    looked = run(scheduler, list(range(faces)), 60, cost_ms / 1000)
    assert scheduler.every == every
    load = sum(len(tracks) for tracks in looked[20:]) * cost_ms / 1000 / (40 * PERIOD_S)
    assert load <= 1


def test_faces_take_turns() -> None:
    looked = run(DeadlineScheduler(PERIOD_S), [7, 8, 9, 10], 48, 0.025)
    assert {len(tracks) for tracks in looked[8:]} == {1}
    assert set(Counter(tracks[0] for tracks in looked[8:]).values()) == {10}


def test_a_new_face_comes_first() -> None:
    scheduler = DeadlineScheduler(PERIOD_S)
    run(scheduler, [0, 1, 2], 30, 0.025)
    assert [0, 1, 2, 5][scheduler.due([0, 1, 2, 5], 1.0)[0]] == 5


def test_a_slower_network_raises_every_at_once_and_a_faster_one_lowers_it_after_a_second() -> None:
    scheduler = DeadlineScheduler(PERIOD_S)
    run(scheduler, [0], 30, 0.025)
    assert scheduler.every == 1
    run(scheduler, [0], 15, 0.060, start_s=1)
    assert scheduler.every == 2
    run(scheduler, [0], 25, 0.010, start_s=2)
    assert scheduler.every == 2
    run(scheduler, [0], 60, 0.010, start_s=3)
    assert scheduler.every == 1


def test_it_has_a_limit() -> None:
    scheduler = DeadlineScheduler(PERIOD_S, max_every=8)
    run(scheduler, [0, 1], 30, 3.0)
    assert scheduler.every == 8


def test_heat_raises_it_step_by_step_and_cooling_takes_it_back() -> None:
    scheduler = DeadlineScheduler(PERIOD_S, hot_c=80)

    def after(celsius: float | None, start_s: int, seconds: int) -> int:
        for second in range(start_s, start_s + seconds):
            scheduler.on_temperature(celsius, second)
            run(scheduler, [0], 30, 0.010, start_s=second)
        return scheduler.every

    assert after(79, 0, 5) == 1
    assert after(85, 5, 11) == 4
    assert after(78, 16, 10) == 4  # near the limit it stays
    assert after(None, 26, 10) == 4
    assert after(70, 36, 20) == 1


def test_the_sources_real_rate_counts() -> None:
    scheduler = DeadlineScheduler(1 / 25)
    for _ in range(200):
        scheduler.on_frame(1 / 100)
    scheduler.on_frame(30.0)  # a pause says nothing about the rate
    run(scheduler, [0], 30, 0.030)
    assert scheduler.every == 4


def test_nobody_in_view_is_no_work() -> None:
    assert run(DeadlineScheduler(PERIOD_S), [], 5, 0.1) == [[]] * 5
