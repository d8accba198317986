from __future__ import annotations

import time

import numpy as np
import pytest

from edgeau._system.timing import RunTimes


def test_each_run_is_timed_and_its_result_given_back() -> None:
    times = RunTimes()
    assert times.run(lambda: time.sleep(0.02) or 7) == 7
    assert len(times) == 1
    assert 20 <= times.wall_ms[0] < 200
    assert times.cpu_ms[0] < times.wall_ms[0]  # it slept


def test_work_is_processor_time() -> None:
    times = RunTimes()
    data = np.random.default_rng(0).random(400_000)
    times.run(lambda: np.sort(data))
    assert times.cpu_ms[0] > 1


def test_a_run_that_raises_is_not_noted() -> None:
    times = RunTimes()
    with pytest.raises(ZeroDivisionError):
        times.run(lambda: 1 // 0)
    assert len(times) == 0


def test_statistics() -> None:
    times = RunTimes()
    times.wall_ms, times.cpu_ms = [4.0, 1.0, 3.0, 2.0, 100.0], [8.0, 2.0, 6.0, 4.0, 9.0]
    assert (times.quartile_ms, times.cpu_quartile_ms, times.best_ms) == (2.0, 4.0, 1.0)
    assert times.percentiles_ms(50, 99) == (3.0, 100.0)
