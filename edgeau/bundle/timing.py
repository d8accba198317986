"""How long an artifact takes for one face on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeau._system.timing import RunTimes
from edgeau.runtimes.session import Session

__all__ = ["SessionTime", "Timing", "time_alternately", "time_session"]

_MIN_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """One artifact with one number of threads.

    Attributes:
        file: of the artifact.
        runtime: of the artifact.
        precision: of the artifact.
        threads: that one inference used; None where the engine decides.
        latency_ms: lower quartile of the runs on one face, milliseconds; None when it was not timed.
        runs: how many were timed.
        cpu_ms: processor time of a run, all threads together, milliseconds; None when it was not timed.
        fault: why it was not timed: the engine refused or answered wrongly; None when it was.
    """

    file: str
    runtime: str
    precision: str
    threads: int | None
    latency_ms: float | None
    runs: int = 0
    cpu_ms: float | None = None
    fault: str | None = None

    def __str__(self) -> str:
        threads = "" if self.threads is None else f", {self.threads} thread{'s' * (self.threads != 1)}"
        took = f"{self.latency_ms:.1f} ms" if self.latency_ms is not None else self.fault or "not timed"
        return f"{self.file} ({self.runtime}/{self.precision}{threads}): {took}"


class SessionTime(NamedTuple):
    """Of one run: milliseconds, and milliseconds of processor time of all threads; and how many runs there were."""

    latency_ms: float
    cpu_ms: float
    runs: int


def time_session(session: Session, crop: NDArray[np.float32], seconds: float) -> SessionTime:
    """Time one session.

    Args:
        session: warm.
        crop: normalised, float32 ``(1, 3, H, W)``.
        seconds: to spend; at least three runs are made, fewer only when the first alone takes longer than that.
    """
    (measured,) = time_alternately([session], crop, seconds)
    return measured


def time_alternately(
    sessions: Sequence[Session], crop: NDArray[np.float32], seconds: float
) -> list[SessionTime]:
    """Time sessions in turns, so that a machine that slows down for a moment slows all of them.

    Args:
        sessions: warm.
        crop: normalised, float32 ``(1, 3, H, W)``.
        seconds: to spend on all of them; at least three turns are made, fewer only when one takes longer than that.
    """
    taken = [RunTimes() for _ in sessions]
    end = time.perf_counter() + seconds
    while not _is_enough(len(taken[0]), time.perf_counter() - end, seconds):
        for session, times in zip(sessions, taken, strict=True):
            times.run(partial(session.run, crop))
    return [SessionTime(times.quartile_ms, times.cpu_quartile_ms, len(times)) for times in taken]


def _is_enough(turns: int, late_s: float, seconds: float) -> bool:
    if turns == 0 or late_s < 0:
        return False
    return turns >= _MIN_RUNS or late_s > seconds
