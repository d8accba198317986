"""The artifact of a bundle that this machine runs rightly and fastest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from edgeau.bundle.benchmark import measure_engines
from edgeau.bundle.choice import by_processor_time, is_disturbed, ranked, slower_than_float
from edgeau.bundle.judged import open_judged
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.remembered_timings import Asked, recall_timings, remember_timings
from edgeau.bundle.timing import Timing
from edgeau.errors import DependencyError, EngineError, UserError
from edgeau.runtimes.session import Session

__all__ = ["Engine", "open_engine"]

_log = logging.getLogger(__name__)

# An artifact, and the threads that it is opened with.
_Plan = Sequence[tuple[Artifact, int | None]]


@dataclass(frozen=True)
class Engine:
    """A session that gave the golden answers, the artifact that it runs, and what it was chosen from.

    ``timings`` is empty where there was nothing to choose.
    """

    session: Session
    artifact: Artifact
    timings: tuple[Timing, ...] = ()


def open_engine(
    bundle: Bundle, engine: str | None = None, *, threads: int | None = None, provider: str | None = None
) -> Engine:
    """Open the artifact that is fastest here, with the number of threads that is.

    At the first time on a machine all that may be chosen from is timed, for about a second; the user's cache remembers
    it, for this bundle, processor and engine versions (unless other programs disturbed it). An engine must give the golden answers when it first meets an
    artifact. Each artifact that does not work is named in a warning of ``logging``, and so is, when it is measured, each
    quantized one that is slower than float; such a one is opened only when ``engine`` asks for it.

    Args:
        bundle: verified.
        engine: which artifacts may be chosen, see :meth:`edgeau.bundle.Bundle.artifacts`; None for all.
        threads: that one inference may use; None takes what is fastest.
        provider: the engine's device or kernel library; None takes the backend's default.

    Raises:
        EngineError: no artifact works; the message says why for each.
        DependencyError: the only artifact that may be chosen needs a package that is not installed.
    """
    candidates = bundle.artifacts(engine)
    asked = Asked(engine, threads, provider)
    if len(candidates) == 1 and threads is not None:
        rows: list[Timing] = []
    else:
        rows = _timings(bundle, asked)
    _say_slower(bundle, asked, rows)
    plan = _plan(candidates, rows) or [(artifact, threads) for artifact in candidates]
    return _first_right(bundle, plan, provider, tuple(rows))


def _timings(bundle: Bundle, asked: Asked) -> list[Timing]:
    """Remembered or measured now; each artifact that was found not to work is logged as a warning either way."""
    rows = recall_timings(bundle, asked) or _measured(bundle, asked)
    timed = any(row.fault is None for row in rows)
    unused: dict[str, list[str]] = {}
    for row in rows:
        if row.fault is None:
            _log.info("measured on this machine: %s", row)
        elif timed:  # else each is tried once more, and says itself what is wrong
            unused.setdefault(row.fault, []).append(row.file)
    for fault, files in unused.items():
        names = dict.fromkeys(files)  # a file may have been tried with several numbers of threads
        _log.warning("%s %s not used: %s", ", ".join(names), "is" if len(names) == 1 else "are", fault)
    return rows


def _measured(bundle: Bundle, asked: Asked) -> list[Timing]:
    counts = None if asked.threads is None else (asked.threads,)
    rows = measure_engines(bundle, asked.engine, threads=counts, provider=asked.provider, every=False)
    if is_disturbed(rows):
        _log.warning(
            "other programs kept the processors busy while the engines were timed: they are compared by the processor "
            "time of one thread, and will be timed again at the next start"
        )
        rows = by_processor_time(rows)
    elif any(row.fault is None for row in rows):
        remember_timings(bundle, asked, rows)
    for slower in slower_than_float(rows):
        _log.warning("%s; it is not used", slower)
    return rows


def _say_slower(bundle: Bundle, asked: Asked, rows: Sequence[Timing]) -> None:
    """Where the caller insists on something quantized that is known to be slower than float, say so."""
    if asked.engine is None or any(row.precision in ("fp32", "fp16") for row in rows):
        return
    files = {artifact.file for artifact in bundle.artifacts(asked.engine)}
    for slower in slower_than_float(recall_timings(bundle, asked._replace(engine=None))):
        if slower.quantized.file in files:
            _log.warning("%s; it was asked for", slower)


def _plan(candidates: Sequence[Artifact], rows: Sequence[Timing]) -> _Plan:
    """Each artifact that was timed once, with its best number of threads, the choice first."""
    artifacts = {artifact.file: artifact for artifact in candidates}
    best: dict[str, int | None] = {}
    for row in ranked(rows):
        best.setdefault(row.file, row.threads)
    return [(artifacts[file], threads) for file, threads in best.items()]


def _first_right(bundle: Bundle, plan: _Plan, provider: str | None, timings: tuple[Timing, ...]) -> Engine:
    faults: list[UserError] = []
    for number, (artifact, threads) in enumerate(plan, 1):
        try:
            session = open_judged(bundle, artifact, threads=threads, provider=provider)
        except (EngineError, DependencyError) as error:
            faults.append(error)
        else:
            return Engine(session, artifact, timings)
        if number < len(plan):
            _log.warning("%s is not used: %s; trying %s", artifact.file, faults[-1], plan[number][0].file)
    if len(faults) == 1:
        raise faults[0]
    reasons = "; ".join(f"{a.file}: {fault}" for (a, _), fault in zip(plan, faults, strict=True))
    raise EngineError(f"no artifact of bundle {bundle.directory} runs on this machine: {reasons}")
