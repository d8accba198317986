"""Timing the artifacts of a bundle on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from edgeau.backends.thread_count import thread_counts
from edgeau.bundle.bundle import Bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.judged import open_judged
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.timing import Timing, time_alternately, time_session
from edgeau.errors import DependencyError, EngineError
from edgeau.preprocessing import Preprocessor

__all__ = ["measure_engines"]

# How near to the fastest a row must be to be timed again beside it, and how many at most.
_NEAR = 1.3
_FINALISTS = 3


def measure_engines(
    bundle: Bundle,
    engine: str | None = None,
    *,
    threads: Sequence[int] | None = None,
    provider: str | None = None,
    seconds: float = 1.0,
    every: bool = True,
) -> list[Timing]:
    """Time every artifact with every number of threads on one face; each must give the golden answers first.

    The rows that come out fastest are timed a second time, in turns.

    Args:
        bundle: verified.
        engine: which artifacts, see :meth:`edgeau.bundle.Bundle.artifacts`; None for all.
        threads: numbers of threads; None takes :func:`edgeau.backends.thread_count.thread_counts`.
        provider: the engine's device or kernel library; None takes the backend's default.
        seconds: of running, in all; opening the engines comes on top of it.
        every: False leaves out numbers of threads with which an artifact cannot become the fastest, however well it
            uses them.

    Returns:
        One row an artifact and number of threads, in the bundle's order. An artifact that does not work has one row
        with its fault.

    Raises:
        BundleError: the golden answers are damaged.
        EngineError: nothing fits ``engine``.
    """
    counts = tuple(sorted(threads if threads is not None else thread_counts()))
    artifacts = bundle.artifacts(engine)
    stopwatch = _Stopwatch(bundle, provider, seconds / (2 * len(artifacts) * len(counts)))
    rows: list[Timing] = []
    for artifact in artifacts:
        rows.extend(stopwatch.rows(artifact, counts, None if every else _best(rows)))
    return stopwatch.again(rows, seconds / 2)


class _Stopwatch:
    """Times artifacts of one bundle on one crop."""

    def __init__(self, bundle: Bundle, provider: str | None, seconds: float) -> None:
        self._bundle = bundle
        self._provider = provider
        self._seconds = seconds
        crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:1]
        self._crop: NDArray[np.float32] = Preprocessor(bundle.manifest.input).batch(crops).copy()

    def rows(self, artifact: Artifact, counts: Sequence[int], best_ms: float | None) -> Iterator[Timing]:
        """Rows of one artifact; with ``best_ms`` only those that could beat it."""
        single_ms = None
        for count in counts:
            if best_ms is not None and single_ms is not None and single_ms * counts[0] / count >= best_ms:
                continue
            row = self._row(artifact, count)
            yield row
            if row.threads is None or row.latency_ms is None:
                return
            single_ms = row.latency_ms if single_ms is None else single_ms

    def _row(self, artifact: Artifact, count: int) -> Timing:
        facts = (artifact.file, artifact.runtime, artifact.precision)
        try:
            with open_judged(self._bundle, artifact, threads=count, provider=self._provider) as session:
                session.run(self._crop)
                milliseconds, runs = time_session(session, self._crop, self._seconds)
                return Timing(*facts, session.describe().threads, milliseconds, runs)
        except (EngineError, DependencyError) as error:
            return Timing(*facts, count, None, fault=str(error))

    def again(self, rows: list[Timing], seconds: float) -> list[Timing]:
        """The rows, the fastest of them with the times of a second comparison."""
        finalists = _finalists(rows)
        if len(finalists) < 2:
            return rows
        artifacts = {artifact.file: artifact for artifact in self._bundle.manifest.artifacts}
        with ExitStack() as stack:
            sessions = [
                stack.enter_context(
                    open_judged(
                        self._bundle, artifacts[row.file], threads=row.threads, provider=self._provider
                    )
                )
                for row in finalists
            ]
            for session in sessions:
                session.run(self._crop)
            times = time_alternately(sessions, self._crop, seconds)
        newer = {
            (row.file, row.threads): Timing(row.file, row.runtime, row.precision, row.threads, *time)
            for row, time in zip(finalists, times, strict=True)
        }
        return [newer.get((row.file, row.threads), row) for row in rows]


def _finalists(rows: Sequence[Timing]) -> list[Timing]:
    best_ms = _best(rows)
    if best_ms is None:
        return []
    timed = [(row.latency_ms, number) for number, row in enumerate(rows) if row.latency_ms is not None]
    near = sorted((ms, number) for ms, number in timed if ms <= _NEAR * best_ms)
    return [rows[number] for _, number in near[:_FINALISTS]]


def _best(rows: Sequence[Timing]) -> float | None:
    return min((row.latency_ms for row in rows if row.latency_ms is not None), default=None)
