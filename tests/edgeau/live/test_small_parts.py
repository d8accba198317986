from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from edgeau.errors import UsageError
from edgeau.live import LiveOptions
from edgeau.live.flow import ErrorThrottle, NewestSlot, RateLimit
from edgeau.live.temperature import Thermometer


def test_the_slot_holds_the_newest_and_tells_what_it_replaced() -> None:
    slot: NewestSlot[int] = NewestSlot()
    assert slot.put(1) is None
    assert slot.put(2) == 1
    assert slot.take(0) == 2
    assert slot.take(0.01) is None


def test_a_closed_slot_takes_nothing_more_and_gives_what_waits() -> None:
    slot: NewestSlot[int] = NewestSlot()
    slot.put(1)
    slot.close()
    assert slot.put(2) == 2
    assert (slot.take(), slot.take()) == (1, None)


def test_closing_wakes_whoever_waits() -> None:
    slot: NewestSlot[int] = NewestSlot()
    threading.Timer(0.05, slot.close).start()
    begun_s = time.monotonic()
    assert slot.take(10) is None
    assert time.monotonic() - begun_s < 5


@pytest.mark.parametrize(
    ("source_fps", "asked", "kept"), [(60, 30, 150), (30, 30, 150), (100, 30, 150), (20, 30, 100)]
)
def test_the_rate_is_thinned_evenly(source_fps: float, asked: float, kept: int) -> None:
    limit = RateLimit(asked)
    times = [frame / source_fps for frame in range(5 * source_fps)]
    through = [time_s for time_s in times if limit.lets_through(time_s)]
    assert len(through) == pytest.approx(kept, abs=2)
    gaps = [b - a for a, b in pairwise(through)]
    assert max(gaps) <= 2 / min(source_fps, asked)


def test_after_a_pause_the_rate_is_not_caught_up() -> None:
    limit = RateLimit(10)
    assert limit.lets_through(0.0)
    through = sum(limit.lets_through(5.0 + frame / 100) for frame in range(100))
    assert through <= 11


def test_without_a_limit_all_go_through() -> None:
    assert all(RateLimit(None).lets_through(0.0) for _ in range(5))


def zone(folder: Path, number: int, kind: str, milli: str) -> None:
    path = folder / f"thermal_zone{number}"
    path.mkdir()
    (path / "type").write_text(kind + "\n")
    (path / "temp").write_text(milli + "\n")


def test_the_warmest_zone_of_the_processor_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "61250")
    zone(tmp_path, 1, "soc_thermal", "58000")
    zone(tmp_path, 2, "battery", "99000")
    zone(tmp_path, 3, "gpu-thermal", "")
    thermometer = Thermometer(tmp_path)
    assert thermometer.read(0.0) == 61.25
    (tmp_path / "thermal_zone0" / "temp").write_text("70000")
    assert thermometer.read(1.0) == 61.25, "it is read every two seconds"
    assert thermometer.read(3.1) == 70


def test_a_machine_without_thermometer_has_no_temperature(tmp_path: Path) -> None:
    assert Thermometer(tmp_path / "none").read(0.0) is None


def test_single_failures_are_borne_and_ten_in_a_row_are_not() -> None:
    trouble = ErrorThrottle("camera")
    for _ in range(5):
        for _ in range(9):
            trouble.report(ValueError("x"))
        trouble.over()
    for _ in range(9):
        trouble.report(ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        trouble.report(ValueError("x"))


@pytest.mark.parametrize(
    "wrong", [{"fps": 0}, {"max_age_s": -1}, {"max_every": 0}, {"backlog": 0}, {"silence_s": 0}]
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} must be more than 0"):
        LiveOptions(**wrong)
