"""Time each artifact of a bundle for one face on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau._system.processor import thread_counts
from edgeau._system.timing import RunTimes
from edgeau.bundle.golden import read_golden
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import input_of
from edgeau.bundle.verification import faults_of_first_meeting, open_verified
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.session import Session

__all__ = ["SessionTime", "Timing", "time_alternately", "time_artifacts", "time_session"]

_MIN_RUNS = 3
# How near to the fastest a row must be to be timed again beside it, and how many at most.
_NEAR = 1.3
_FINALISTS = 3


@dataclass(frozen=True)
class Timing:
    """One artifact with one number of threads.

    Attributes:
        file: file of the artifact.
        runtime: runtime of the artifact.
        precision: precision of the artifact.
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
        time_text = f"{self.latency_ms:.1f} ms" if self.latency_ms is not None else self.fault or "not timed"
        return f"{self.file} ({self.runtime}/{self.precision}{threads}): {time_text}"


class SessionTime(NamedTuple):
    """Time of one run: milliseconds, and milliseconds of processor time of all threads; and how many runs there were."""

    latency_ms: float
    cpu_ms: float
    runs: int


def time_session(session: Session, crop: NDArray[Any], seconds: float) -> SessionTime:
    """Time one session.

    Args:
        session: warm.
        crop: what it is given, of one face.
        seconds: to spend; at least three runs are made, fewer only when the first alone takes longer than that.
    """
    (measured,) = time_alternately([(session, crop)], seconds)
    return measured


def time_alternately(sessions: Sequence[tuple[Session, NDArray[Any]]], seconds: float) -> list[SessionTime]:
    """Time sessions in turns, so that a machine that slows down for a moment slows all of them.

    Args:
        sessions: warm, each with what it is given.
        seconds: to spend on all of them; at least three turns are made, fewer only when one takes longer than that.
    """
    taken = [RunTimes() for _ in sessions]
    end = time.perf_counter() + seconds
    while not _is_enough(len(taken[0]), time.perf_counter() - end, seconds):
        for (session, crop), times in zip(sessions, taken, strict=True):
            times.run(partial(session.run, crop))
    return [SessionTime(times.quartile_ms, times.cpu_quartile_ms, len(times)) for times in taken]


def _is_enough(turns: int, late_s: float, seconds: float) -> bool:
    if turns == 0 or late_s < 0:
        return False
    return turns >= _MIN_RUNS or late_s > seconds


def time_artifacts(
    bundle: Bundle,
    artifacts: Sequence[Artifact],
    *,
    threads: Sequence[int] | None = None,
    provider: str | None = None,
    seconds: float = 1.0,
    every: bool = True,
) -> list[Timing]:
    """Time artifacts with every number of threads on one face; each must give the golden answers first.

    The rows that come out fastest are timed a second time, in turns.

    Args:
        bundle: verified.
        artifacts: of it, at least one; see :meth:`edgeau.bundle.Bundle.artifacts`.
        threads: numbers of threads; None takes :func:`edgeau._system.processor.thread_counts`.
        provider: the engine's device or kernel library; None takes the runtime's default.
        seconds: seconds of running, in all; opening the engines comes on top of it.
        every: False leaves out numbers of threads with which an artifact cannot become the fastest, however well it
            uses them.

    Returns:
        One row an artifact and number of threads, in the bundle's order. An artifact that does not work has one row
        with its fault.

    Raises:
        BundleError: the golden answers are damaged.
    """
    counts = tuple(sorted(threads if threads is not None else thread_counts()))
    share = seconds / (2 * len(artifacts) * len(counts))
    faults_of_first_meeting(
        bundle, artifacts, provider=provider
    )  # all in one child; open_verified asks for each
    with _Stopwatch(bundle, provider, share) as stopwatch:
        for candidate in artifacts:
            stopwatch.measure(candidate, counts, every=every)
        return stopwatch.finish(seconds / 2)


class _Stopwatch(Closing):
    """Times artifacts of one bundle on one crop; keeps the sessions of the fastest rows open until it is left."""

    def __init__(self, bundle: Bundle, provider: str | None, seconds: float) -> None:
        self._bundle = bundle
        self._provider = provider
        self._seconds = seconds
        self._crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:1]
        self._rows: list[Timing] = []
        self._open: dict[Timing, tuple[Session, NDArray[Any]]] = {}

    def close(self) -> None:
        for session, _ in self._open.values():
            session.close()

    def measure(self, artifact: Artifact, counts: Sequence[int], *, every: bool) -> None:
        """Add the rows of one artifact; without ``every`` only those that could become the fastest of all so far."""
        best_ms = _best(self._rows)
        alone_ms: float | None = None
        for count in counts:
            if not every and _is_hopeless(best_ms, alone_ms, count / counts[0]):
                continue
            row = self._measure(artifact, count)
            self._rows.append(row)
            if row.threads is None or row.latency_ms is None:
                return
            alone_ms = alone_ms or row.latency_ms

    def finish(self, seconds: float) -> list[Timing]:
        """All rows, the fastest of them with the times of a second comparison, in turns."""
        if len(self._open) > 1:
            times = time_alternately(list(self._open.values()), seconds)
            newer = {
                row: replace(row, **measured._asdict())
                for row, measured in zip(self._open, times, strict=True)
            }
            return [newer.get(row, row) for row in self._rows]
        return self._rows

    def _measure(self, artifact: Artifact, count: int) -> Timing:
        row = Timing(artifact.file, artifact.runtime, artifact.precision, count, None)
        try:
            session = open_verified(self._bundle, artifact, threads=count, provider=self._provider)
        except (EngineError, DependencyError) as error:
            return replace(row, fault=str(error))
        try:
            crop = input_of(session, self._bundle.manifest.input, self._crops)
            session.run(crop)
            measured = time_session(session, crop, self._seconds)
        except EngineError as error:
            session.close()
            return replace(row, fault=str(error))
        except BaseException:
            session.close()
            raise
        row = replace(row, threads=session.describe().threads, **measured._asdict())
        self._keep(row, session, crop)
        return row

    def _keep(self, row: Timing, session: Session, crop: NDArray[Any]) -> None:
        """Keep the session open while its row is among the fastest; close what is no longer."""
        self._open[row] = session, crop
        finalists = _finalists(list(self._open))
        for slower in [other for other in self._open if other not in finalists]:
            self._open.pop(slower)[0].close()


def _is_hopeless(best_ms: float | None, alone_ms: float | None, gain: float) -> bool:
    """Tell whether a row cannot beat the best one, even if ``gain`` times as many threads make it as many times faster."""
    return best_ms is not None and alone_ms is not None and alone_ms / gain >= best_ms


def _finalists(rows: Sequence[Timing]) -> list[Timing]:
    timed = sorted((row.latency_ms, number) for number, row in enumerate(rows) if row.latency_ms is not None)
    near = [number for latency_ms, number in timed if latency_ms <= _NEAR * timed[0][0]]
    return [rows[number] for number in near[:_FINALISTS]]


def _best(rows: Sequence[Timing]) -> float | None:
    return min((row.latency_ms for row in rows if row.latency_ms is not None), default=None)
