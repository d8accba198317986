"""Threads and accounting, with stages of known speed."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from edgeau.errors import EngineError, InputError, UsageError
from edgeau.live import DROP_REASONS, LiveOptions, LivePipeline


def balanced(live: LivePipeline) -> bool:
    counters = live.snapshot()
    assert set(counters.dropped) <= set(DROP_REASONS)
    gone = counters.processed + sum(counters.dropped.values()) + counters.failed + counters.on_the_way
    return counters.captured == gone


@pytest.fixture
def edgeau_threads() -> Callable[[], list[str]]:
    """Names of edgeau's threads that this test began: other tests of the process may have streams of their own still open."""
    before = set(threading.enumerate())

    def began() -> list[str]:
        return [
            one.name for one in threading.enumerate() if one.name.startswith("edgeau-") and one not in before
        ]

    return began


def fed(live: LivePipeline, source, count: int) -> list:
    """Results of frames that are fed one by one, each when the one before has been taken."""
    stream, results = live.stream(source), []
    for _ in range(count):
        source.feed()
        results.append(next(stream))
    source.end()
    assert list(stream) == []
    return results


def test_a_source_slower_than_the_stages_loses_nothing(stages, fed_source, edgeau_threads) -> None:
    live = LivePipeline(stages(read_s=0.002))
    results = fed(live, fed_source, 30)
    assert [result.index for result in results] == list(range(30))
    assert all(result.dropped == 0 for result in results)
    fresh = [face.aus_time_s == result.time_s for result in results for face in result.faces]
    assert (
        sum(fresh) >= 25
    )  # on a busy machine a frame may come while the network's thread is about to wait again
    assert all(0 < result.age_s < 0.3 and result.captured_s is not None for result in results)
    counters = live.snapshot()
    assert (counters.captured, counters.processed, counters.on_the_way) == (30, 30, 0)
    assert edgeau_threads() == []


def test_slow_landmarks_lose_frames_and_not_freshness(stages, film, slack) -> None:
    live = LivePipeline(stages(find_s=0.04))
    results = list(live.stream(film(60, 0.01)))
    assert 10 <= len(results) <= 20
    assert statistics.median(result.age_s for result in results) < 0.07 * slack
    told = sum(result.dropped for result in results)
    dropped = live.snapshot().dropped
    assert dropped["busy"] >= told >= 60 - len(results) - 2
    assert all(sum(result.drops.values()) == result.dropped for result in results)
    assert balanced(live)


def test_a_slow_network_costs_turns_and_not_frames(stages, virtual_clock, lock_step) -> None:
    """The network needs 35 ms, and is waited for in steps of 10: it keeps up with every fifth frame at 90 % of its time."""
    subject = stages(read_s=0.035)
    subject.sleep = virtual_clock.sleep
    live = LivePipeline(subject, LiveOptions(backlog=200))

    def settled(index: int) -> bool:
        busy = live._run is not None and live._run._network_busy.is_set()
        return subject.found == index and (not busy or virtual_clock.sleepers == 1)

    results = list(live.stream(lock_step(150, 0.01, virtual_clock, settled)))
    assert [result.index for result in results] == list(range(150))
    assert live.snapshot().every == 5
    times = [face.aus_time_s for result in results for face in result.faces if face.aus_time_s is not None]
    assert times == sorted(times), "answers never go back in time"
    looked = [index for index, _ in subject.read_frames if index >= 20]
    assert {after - before for before, after in pairwise(looked)} <= {5, 6}
    lags = [result.time_s - face.aus_time_s for result in results[20:] for face in result.faces]
    assert all(0 <= lag < 0.055 for lag in lags), "no answer is older than a turn"


def test_a_network_that_is_slower_than_the_age_limit_holds_nothing_back(stages, film, slack) -> None:
    live = LivePipeline(stages(read_s=0.3), LiveOptions(backlog=100, max_age_s=0.1))
    results = list(live.stream(film(120, 0.01)))
    ages = sorted(result.age_s for result in results)
    assert ages[len(ages) // 2] < 0.03 * slack
    assert ages[-1] < 0.16 * slack
    assert {face.aus["AU12"].reason for face in results[0].faces} == {"too soon"}
    assert results[-1].faces[0].aus["AU12"].probability is not None


def test_several_faces_take_turns(stages, film) -> None:
    subject = stages(tracks=(0, 1, 2, 3), read_s=0.009)
    live = LivePipeline(subject, LiveOptions(backlog=100))
    results = list(live.stream(film(100, 0.012)))
    looked = [tracks for index, tracks in subject.read_frames if index > 50]
    assert {len(tracks) for tracks in looked} == {1}
    assert {tracks[0] for tracks in looked} == {0, 1, 2, 3}
    assert all([face.track_id for face in result.faces] == [0, 1, 2, 3] for result in results)


def test_a_slow_taker_gets_new_results(stages, film, slack) -> None:
    live = LivePipeline(stages(), LiveOptions(backlog=1))
    ages = []
    for result in live.stream(film(60, 0.01)):
        ages.append(result.age_s)
        time.sleep(0.05)
    assert statistics.median(ages) < 0.03 * slack
    assert live.snapshot().dropped["unclaimed"] > 30
    assert balanced(live)


def test_a_rate_can_be_asked_for(stages, film) -> None:
    live = LivePipeline(stages(), LiveOptions(fps=25))
    results = list(live.stream(film(100, 0.01)))
    assert len(results) == pytest.approx(25, abs=4)
    assert live.snapshot().dropped["rate"] == pytest.approx(75, abs=4)


def test_a_sources_error_comes_after_its_last_result(stages, fed_source, edgeau_threads) -> None:
    live = LivePipeline(stages())
    stream = live.stream(fed_source)
    for index in range(3):
        fed_source.feed()
        assert next(stream).index == index
    fed_source.end(InputError("unplugged"))
    with pytest.raises(InputError, match="unplugged"):
        list(stream)
    assert live.snapshot().captured == 3
    assert balanced(live)
    assert edgeau_threads() == []


def test_a_frame_that_fails_is_counted_and_the_stream_goes_on(stages, fed_source) -> None:
    """Each frame comes when the one before is done with, so that none is dropped however busy the machine is."""

    def fail(frame) -> None:
        if frame.index % 3 == 2:
            raise InputError("garbage")

    subject = stages()
    subject.find_error = fail
    live = LivePipeline(subject)
    stream, indices = live.stream(fed_source), []
    for index in range(30):
        fed_source.feed()
        if index % 3 < 2:
            indices.append(next(stream).index)
        else:
            deadline = time.monotonic() + 60
            while live.snapshot().failed <= index // 3:
                assert time.monotonic() < deadline
                time.sleep(0.001)
    fed_source.end()
    assert list(stream) == []
    assert indices == [index for index in range(30) if index % 3 < 2]
    counters = live.snapshot()
    assert (counters.failed, counters.last_failure) == (10, "InputError: garbage")
    assert balanced(live)


def test_a_network_that_fails_once_leaves_the_answer_before(stages, fed_source) -> None:
    failed = []

    def fail(frame) -> None:
        if frame.index >= 20 and not failed:
            failed.append(frame.index)
            raise EngineError("hiccup")

    subject = stages()
    subject.read_error = fail
    results = fed(LivePipeline(subject), fed_source, 30)
    (face,) = results[failed[0]].faces
    assert face.aus_time_s < results[failed[0]].time_s
    assert face.aus["AU12"].probability is not None


def test_a_network_that_always_fails_ends_the_stream(stages, film, edgeau_threads) -> None:
    def fail(frame) -> None:
        raise EngineError("broken")

    subject = stages()
    subject.read_error = fail
    live = LivePipeline(subject)
    with pytest.raises(EngineError, match="broken"):
        for _ in live.stream(film(1000, 0.01)):
            pass
    assert balanced(live)
    assert edgeau_threads() == []


def test_leaving_the_loop_ends_the_threads(stages, film, slack, edgeau_threads) -> None:
    live = LivePipeline(stages())
    stream = live.stream(film(1000, 0.01))
    next(stream)
    begun_s = time.monotonic()
    stream.close()
    assert time.monotonic() - begun_s < 0.6 * slack
    assert edgeau_threads() == []
    assert balanced(live)
    assert live.snapshot().on_the_way == 0


def test_stop_from_another_thread_ends_the_loop(stages, fed_source, slack) -> None:
    live = LivePipeline(stages())
    threading.Timer(0.2, live.stop).start()
    fed_source.feed()
    begun_s = time.monotonic()
    results = list(live.stream(fed_source))
    assert len(results) == 1
    assert time.monotonic() - begun_s < 1 * slack


def test_a_camera_that_hangs_does_not_hold_up_the_end(stages, fed_source, slack) -> None:
    fed_source.stop = lambda: None  # it does not hear
    live = LivePipeline(stages())
    threading.Timer(0.1, live.stop).start()
    begun_s = time.monotonic()
    assert list(live.stream(fed_source)) == []
    assert time.monotonic() - begun_s < 1 * slack
    fed_source.end()


def test_a_silent_camera_is_reported_and_given_up_when_asked(stages, fed_source, caplog) -> None:
    live = LivePipeline(stages(), LiveOptions(silence_s=0.2, give_up_s=1.0))
    fed_source.feed()
    with pytest.raises(InputError, match="camera has delivered no frame for 1"):
        for _ in live.stream(fed_source):
            pass
    assert "camera has delivered no frame for 0." in caplog.text
    assert live.snapshot().silent_s > 1


def test_gaps_are_passed_on(stages, fed_source) -> None:
    fed_source.feed()
    fed_source.feed(gap_s=1.5)
    fed_source.feed()  # it may take the place of the one before, and then tells its gap
    fed_source.end()
    live = LivePipeline(stages(), LiveOptions(backlog=10))
    assert sum(result.gap_s for result in live.stream(fed_source)) == 1.5
    assert (live.snapshot().gaps, live.snapshot().gap_s) == (1, 1.5)


def test_two_streams_at_once_are_refused(stages, film) -> None:
    live = LivePipeline(stages())
    first = live.stream(film(100, 0.01))
    next(first)
    with pytest.raises(UsageError, match="follows a source already"):
        live.stream(film(1, 0.01))
    first.close()
    assert len(list(live.stream(film(3, 0.01)))) == 3


def test_a_stream_that_is_ended_before_its_first_result_never_begins(stages, film) -> None:
    fake = stages()
    live = LivePipeline(fake)
    views = live.views(film(1000, 0.01))
    live.stop()
    assert list(views) == []
    assert fake.started == 0


def test_views_hold_the_frame_of_the_result(stages, film) -> None:
    live = LivePipeline(stages())
    assert live.latest() is None
    assert live.snapshot().captured == 0
    for view in live.views(film(5, 0.01)):
        assert view.frame.index == view.result.index
        assert live.latest() is view
    assert live.latest().result.index == 4


def test_filters_see_every_result_in_order(stages, film) -> None:
    subject = stages(tracks=(0, 1), read_s=0.01)
    seen = []
    subject.apply_filters = lambda result: seen.append(result.index) or result
    results = list(LivePipeline(subject, LiveOptions(backlog=100)).stream(film(40, 0.01)))
    assert seen == [result.index for result in results] == sorted(seen)


def test_faces_that_did_not_change_say_nothing_of_the_network_s_speed(stages, fed_source) -> None:
    """Or the first face that moves again would come late, before a network that is taken for a fast one."""
    quick = stages(read_s=0.02)
    looks = quick.read

    def read(frame, faces, *, loaded=False):
        found = looks(frame, faces)
        return found if frame.index < 4 else [replace(face, aus_held_s=frame.time_s) for face in found]

    quick.read = read
    live = LivePipeline(quick)
    stream = live.stream(fed_source)
    costs = []
    for number in range(12):
        if number >= 4:
            quick.read_s = 0.0
        fed_source.feed()
        held = next(stream).faces[0].aus_held_s
        costs.append(live.snapshot().network_s)
    fed_source.end()
    assert list(stream) == []
    assert held is not None
    assert costs[-1] == costs[4] >= 0.02
