"""Timing the artifacts of a bundle on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.golden import read_golden
from edgeau.bundle.judged import open_judged
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.timing import Timing, time_alternately, time_session
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.session import Session
from edgeau.runtimes.thread_count import thread_counts

if TYPE_CHECKING:
    from typing_extensions import Self

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
        threads: numbers of threads; None takes :func:`edgeau.runtimes.thread_count.thread_counts`.
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
    share = seconds / (2 * len(artifacts) * len(counts))
    with _Stopwatch(bundle, provider, share) as stopwatch:
        for artifact in artifacts:
            stopwatch.measure(artifact, counts, every=every)
        return stopwatch.settled(seconds / 2)


class _Stopwatch:
    """Times artifacts of one bundle on one crop; keeps the sessions of the fastest rows open until it is left."""

    def __init__(self, bundle: Bundle, provider: str | None, seconds: float) -> None:
        self._bundle = bundle
        self._provider = provider
        self._seconds = seconds
        crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:1]
        self._crop: NDArray[np.float32] = Preprocessor(bundle.manifest.input).batch(crops).copy()
        self._rows: list[Timing] = []
        self._open: dict[Timing, Session] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._open.values():
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

    def settled(self, seconds: float) -> list[Timing]:
        """All rows, the fastest of them with the times of a second comparison, in turns."""
        if len(self._open) > 1:
            times = time_alternately(list(self._open.values()), self._crop, seconds)
            newer = {
                row: replace(row, **measured._asdict())
                for row, measured in zip(self._open, times, strict=True)
            }
            return [newer.get(row, row) for row in self._rows]
        return self._rows

    def _measure(self, artifact: Artifact, count: int) -> Timing:
        row = Timing(artifact.file, artifact.runtime, artifact.precision, count, None)
        try:
            session = open_judged(self._bundle, artifact, threads=count, provider=self._provider)
        except (EngineError, DependencyError) as error:
            return replace(row, fault=str(error))
        try:
            session.run(self._crop)
            measured = time_session(session, self._crop, self._seconds)
        except EngineError as error:
            session.close()
            return replace(row, fault=str(error))
        except BaseException:
            session.close()
            raise
        row = replace(row, threads=session.describe().threads, **measured._asdict())
        self._keep(row, session)
        return row

    def _keep(self, row: Timing, session: Session) -> None:
        """Keep the session open while its row is among the fastest; close what is no longer."""
        self._open[row] = session
        finalists = _finalists(list(self._open))
        for slower in [other for other in self._open if other not in finalists]:
            self._open.pop(slower).close()


def _is_hopeless(best_ms: float | None, alone_ms: float | None, gain: float) -> bool:
    """Whether a row cannot beat the best one, even if ``gain`` times as many threads make it as many times faster."""
    return best_ms is not None and alone_ms is not None and alone_ms / gain >= best_ms


def _finalists(rows: Sequence[Timing]) -> list[Timing]:
    timed = sorted((row.latency_ms, number) for number, row in enumerate(rows) if row.latency_ms is not None)
    near = [number for latency_ms, number in timed if latency_ms <= _NEAR * timed[0][0]]
    return [rows[number] for number in near[:_FINALISTS]]


def _best(rows: Sequence[Timing]) -> float | None:
    return min((row.latency_ms for row in rows if row.latency_ms is not None), default=None)
