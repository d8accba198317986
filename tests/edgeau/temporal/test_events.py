"""Every onset has its offset, with the times at which they happened and were told."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau.temporal.events import Event, EventDetector

FPS = 100


def events(make_frame, signal: list[float | str | None], **options: float) -> list[Event]:
    """A signal of so many hundredths of a second; ``"gone"`` is a frame without the face."""
    detector = EventDetector(**options)
    found: list[Event] = []
    for n, value in enumerate(signal):
        gone = value == "gone"
        found += detector.update(make_frame(n / FPS, None if gone else value, face=not gone))
    return found + detector.finish((len(signal) - 1) / FPS)


def times(found: list[Event]) -> list[tuple[str, float, str]]:
    return [(event.kind, pytest.approx(event.time_s), event.cause) for event in found]


def test_an_onset_and_its_offset(make_frame) -> None:
    found = events(make_frame, [0.1] * 50 + [0.6] * 20 + [0.9] * 30 + [0.2] * 50)
    assert times(found) == [("onset", 0.5, "began"), ("offset", 1.0, "ended")]
    onset, offset = found
    assert (onset.reported_s, offset.reported_s) == (
        pytest.approx(0.6, abs=0.011),
        pytest.approx(1.1, abs=0.011),
    )
    assert (onset.peak, offset.peak) == (0.6, 0.9)
    assert offset.duration_s == pytest.approx(0.5)
    assert EventDetector().latency_s == pytest.approx(0.1)


def test_what_flickers_is_no_event(make_frame) -> None:
    assert events(make_frame, [0.1, 0.9, 0.1, 0.9, 0.9, 0.1] * 20) == []
    held = [0.9] * 50 + [0.1] * 5 + [0.9] * 50
    assert times(events(make_frame, held)) == [("onset", 0.0, "began"), ("offset", 1.04, "stopped")]


def test_a_short_gap_is_bridged_and_a_long_one_ends_it_where_it_was_last_seen(make_frame) -> None:
    for unseen in (None, "gone"):
        bridged = events(make_frame, [0.9] * 50 + [unseen] * 80 + [0.9] * 50)
        assert [event.cause for event in bridged] == ["began", "stopped"]
        lost = events(make_frame, [0.9] * 50 + [unseen] * 150 + [0.9] * 50)
        assert times(lost) == [
            ("onset", 0.0, "began"),
            ("offset", 0.49, "lost"),
            ("onset", 2.0, "began"),
            ("offset", 2.49, "stopped"),
        ]


def test_each_track_has_its_own_events(make_frame) -> None:
    detector = EventDetector(min_on_s=0)
    found = detector.update(make_frame(0.0, 0.9, track_id=1)) + detector.update(
        make_frame(0.1, 0.9, track_id=2)
    )
    found += detector.finish(0.1)
    assert [(event.kind, event.track_id) for event in found] == [
        ("onset", 1),
        ("onset", 2),
        ("offset", 1),
        ("offset", 2),
    ]


def test_single_pictures_make_no_events(make_frame) -> None:
    assert EventDetector(min_on_s=0).update(make_frame(0.0, 0.9, track_id=None)) == []


def test_random_streams_always_pair_up_and_never_go_back(make_frame) -> None:
    random = np.random.default_rng(0)
    signal = []
    while len(signal) < 20_000:
        signal += [random.choice([0.1, 0.9, None, "gone"], p=(0.4, 0.4, 0.1, 0.1))] * random.integers(1, 160)
    found = events(make_frame, signal)
    assert [event.kind for event in found] == ["onset", "offset"] * (len(found) // 2)
    assert len(found) > 50
    assert all(a.time_s <= b.time_s for a, b in pairwise(found))
    assert all(event.duration_s >= 0 and event.reported_s >= event.time_s for event in found)


def test_times_below_0_are_refused() -> None:
    with pytest.raises(UsageError, match="min_on_s must be"):
        EventDetector(min_on_s=-1)


def test_time_that_starts_again_ends_what_was_active(make_frame) -> None:
    """A detector that goes on with the next recording, whose tracks begin at 0 again."""
    detector, found = EventDetector(), []
    for n in range(300):
        found += detector.update(make_frame(n / FPS, 0.9))
    for n in range(100):
        found += detector.update(make_frame(n / FPS, 0.1))
    assert times(found) == [("onset", 0.0, "began"), ("offset", 2.99, "lost")]
    assert found[1].duration_s == pytest.approx(2.99)
