"""The artifact of a bundle that this machine runs rightly and fastest, and with how many threads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from edgeau._system.cache import KeyedCache
from edgeau._system.processor import processor_identity, usable_processors
from edgeau._system.records import from_dict
from edgeau.bundle.benchmark import Timing, time_artifacts
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.verification import open_verified
from edgeau.errors import DependencyError, EngineError, RecordError, UserError
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.session import Session
from edgeau.runtimes.table import engine_versions, runtimes

__all__ = [
    "SelectedArtifact",
    "Slower",
    "by_processor_time",
    "is_disturbed",
    "rank_timings",
    "select_artifact",
    "slower_than_float",
]

_log = logging.getLogger(__name__)

_TIMINGS = KeyedCache("timings")
# Two rows nearer than this are equally fast. Ours: repeated measurements differ by some per cent. Of equally fast artifacts
# the truest is taken, then the one that leaves most processors to the rest of the program.
_EQUAL = 1.05
# A thread that got less than this share of a processor was disturbed.
_COMPUTING = 0.7


class Request(NamedTuple):
    """The caller's choices and what they leave open; arguments of :func:`select_artifact`."""

    artifact: str | None = None
    threads: int | None = None
    provider: str | None = None


# An artifact, and the threads that it is opened with.
_Plan = Sequence[tuple[Artifact, int | None]]


@dataclass(frozen=True)
class SelectedArtifact:
    """A session that gave the golden answers, the artifact that it runs, and what it was chosen from.

    ``timings`` is empty where there was nothing to choose.
    """

    session: Session
    artifact: Artifact
    timings: tuple[Timing, ...] = ()


def select_artifact(
    bundle: Bundle, artifact: str | None = None, *, threads: int | None = None, provider: str | None = None
) -> SelectedArtifact:
    """Open the artifact that is fastest here, with the number of threads that is.

    At the first time on a machine all that may be chosen from is timed, for about a second; the user's cache remembers
    it, for this bundle, processor and engine versions (unless other programs disturbed it). An engine must give the golden
    answers when it first meets an artifact. Each artifact that does not work is named in a warning of ``logging`` (in an information where
    its engine is not installed), and so is, when it is measured, a quantized precision that no engine runs faster than float; such a one is
    opened only when ``artifact`` asks for it.

    Args:
        bundle: verified.
        artifact: which may be chosen, see :meth:`edgeau.bundle.Bundle.artifacts`; None for all.
        threads: that one inference may use; None takes what is fastest.
        provider: the engine's device or kernel library; None takes the runtime's default.

    Raises:
        EngineError: no artifact works; the message says why for each.
        DependencyError: the only artifact that may be chosen needs a package that is not installed.
    """
    candidates = bundle.artifacts(artifact)
    asked = Request(artifact, threads, provider)
    if len(candidates) == 1 and threads is not None:
        rows: list[Timing] = []
    else:
        rows = _timings(bundle, candidates, asked)
    _say_slower(bundle, candidates, asked, rows)
    plan = _plan(candidates, rows) or [(candidate, threads) for candidate in candidates]
    return _first_verified(bundle, plan, provider, tuple(rows))


def _timings(bundle: Bundle, candidates: Sequence[Artifact], asked: Request) -> list[Timing]:
    """Kept or measured now; each artifact that was found not to work is logged as a warning either way."""
    rows = _kept_timings(bundle, asked) or _measured(bundle, candidates, asked)
    timed = any(row.fault is None for row in rows)
    unused: dict[str, list[str]] = {}
    for row in rows:
        if row.fault is None:
            _log.info("measured on this machine: %s", row)
        elif timed and row.runtime in runtimes() and not runtimes()[row.runtime].is_installed:
            # Whoever installs one engine has chosen it: nothing is wrong, and edgeau-doctor lists the others.
            _log.info("%s is not used: %s", row.file, row.fault)
        elif timed:  # else each is tried once more, and says itself what is wrong
            unused.setdefault(row.fault, []).append(bundle.name(row.file, row.runtime, row.precision))
    for fault, files in unused.items():
        names = dict.fromkeys(files)  # a file may have been tried with several numbers of threads
        _log.warning("%s %s not used: %s", ", ".join(names), "is" if len(names) == 1 else "are", fault)
    return rows


def _measured(bundle: Bundle, candidates: Sequence[Artifact], asked: Request) -> list[Timing]:
    counts = None if asked.threads is None else (asked.threads,)
    rows = time_artifacts(bundle, candidates, threads=counts, provider=asked.provider, every=False)
    if is_disturbed(rows):
        _log.warning(
            "other programs kept the processors busy while the engines were timed: they are compared by the processor "
            "time of one thread, and will be timed again at the next start"
        )
        rows = by_processor_time(rows)
    elif any(row.fault is None for row in rows):
        _keep_timings(bundle, asked, rows)
    for slower in slower_than_float(rows):
        _log.warning("%s; it is not used", slower)
    return rows


def _say_slower(
    bundle: Bundle, candidates: Sequence[Artifact], asked: Request, rows: Sequence[Timing]
) -> None:
    """Warn where the caller insists on something quantized that is known to be slower than float."""
    if asked.artifact is None or any(
        row.fault is None and PRECISIONS[row.precision].is_float for row in rows
    ):
        return
    chosen = {(artifact.file, artifact.runtime) for artifact in candidates}
    for slower in slower_than_float(_kept_timings(bundle, asked._replace(artifact=None))):
        if (slower.quantized.file, slower.quantized.runtime) in chosen:
            _log.warning("%s; it was asked for", slower)


def _plan(candidates: Sequence[Artifact], rows: Sequence[Timing]) -> _Plan:
    """Each artifact that was timed once, with its best number of threads, the choice first."""
    artifacts = {(artifact.file, artifact.runtime): artifact for artifact in candidates}
    best: dict[tuple[str, str], int | None] = {}
    for row in rank_timings(rows):
        best.setdefault((row.file, row.runtime), row.threads)
    return [(artifacts[which], threads) for which, threads in best.items()]


def _first_verified(
    bundle: Bundle, plan: _Plan, provider: str | None, timings: tuple[Timing, ...]
) -> SelectedArtifact:
    faults: list[UserError] = []
    for number, (artifact, threads) in enumerate(plan, 1):
        try:
            session = open_verified(bundle, artifact, threads=threads, provider=provider)
        except (EngineError, DependencyError) as error:
            faults.append(error)
        else:
            return SelectedArtifact(session, artifact, timings)
        if number < len(plan):
            _log.warning("%s is not used: %s; trying %s", artifact.file, faults[-1], plan[number][0].file)
    if len(faults) == 1:
        raise faults[0]
    reasons = "; ".join(f"{a.file}: {fault}" for (a, _), fault in zip(plan, faults, strict=True))
    raise EngineError(f"no artifact of bundle {bundle.directory} runs on this machine: {reasons}")


def _kept_timings(bundle: Bundle, asked: Request) -> list[Timing]:
    """Read what was measured for this bundle, processor and engine versions; empty when nothing was."""
    note = _TIMINGS.get(_facts(bundle, asked))
    if note is None:
        return []
    try:
        return [from_dict(Timing, row, "timings") for row in note["rows"]]
    except (KeyError, TypeError, RecordError) as error:
        _log.info("earlier measurements cannot be read; measuring again: %s", error)
        return []


def _keep_timings(bundle: Bundle, asked: Request, rows: Sequence[Timing]) -> None:
    _TIMINGS.put(_facts(bundle, asked), {"rows": [asdict(row) for row in rows]})


def _facts(bundle: Bundle, asked: Request) -> dict[str, Any]:
    """Everything that could change which artifact is the fastest."""
    return {
        "bundle": bundle.digest,
        "engines": engine_versions(),
        "processor": processor_identity(),
        "processors": usable_processors(),
        "asked": asked._asdict(),
    }


class Slower(NamedTuple):
    """A quantized artifact with its best number of threads, and the float one that is faster with as many."""

    quantized: Timing
    best_float: Timing

    def __str__(self) -> str:
        return f"{self.quantized.precision} is slower than float on this machine: {self.quantized}, against {self.best_float}"


def rank_timings(rows: Sequence[Timing]) -> list[Timing]:
    """The timed rows, in the order in which to try them: the first one is the choice.

    An artifact of less than float precision comes first only when it is really faster than every float one.

    Args:
        rows: rows of :func:`edgeau.bundle.benchmark.time_artifacts`, in the bundle's order.
    """
    left = [row for row in rows if row.latency_ms is not None]
    order = []
    while left:
        best_ms = min(_latency(row) for row in left)
        near = [row for row in left if _latency(row) <= _EQUAL * best_ms]
        order.append(min(near, key=_preference))
        left.remove(order[-1])
    return order


def is_disturbed(rows: Sequence[Timing]) -> bool:
    """Tell whether other programs took the processors while rows with one thread were timed.

    Such a thread computes all the time, so its processor time is its time. (With more threads, or a device of its own, an
    engine may wait for reasons of its own.)
    """
    pairs = [(row.latency_ms, row.cpu_ms) for row in rows if row.threads == 1]
    return any(ms is not None and cpu is not None and cpu < _COMPUTING * ms for ms, cpu in pairs)


def by_processor_time(rows: Sequence[Timing]) -> list[Timing]:
    """The rows with one thread, and those that were not timed, with their processor time in place of their time."""
    timed = [replace(row, latency_ms=row.cpu_ms) for row in rows if row.threads == 1 and row.fault is None]
    return [*timed, *(row for row in rows if row.fault is not None)]


def slower_than_float(rows: Sequence[Timing]) -> list[Slower]:
    """Each quantized precision whose fastest artifact is slower here than the fastest float one with as many threads."""
    timed = sorted((row for row in rows if row.latency_ms is not None), key=_latency)
    fastest: dict[str, Timing] = {}
    for row in timed:
        if not PRECISIONS[row.precision].is_float:
            fastest.setdefault(row.precision, row)
    floats = [row for row in timed if PRECISIONS[row.precision].is_float]
    pairs = ((row, _best_beside(row, floats)) for row in fastest.values())
    return [Slower(row, best) for row, best in pairs if best is not None and _latency(row) > _latency(best)]


def _best_beside(row: Timing, floats: Sequence[Timing]) -> Timing | None:
    return next((other for other in floats if other.threads == row.threads), None)


def _preference(row: Timing) -> tuple[int, int, float]:
    return PRECISIONS[row.precision].rank, row.threads or 0, _latency(row)


def _latency(row: Timing) -> float:
    assert row.latency_ms is not None
    return row.latency_ms
