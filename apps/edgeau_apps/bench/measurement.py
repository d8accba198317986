"""The measurement: all sessions open, run in turns in a new order each round, so that drift hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.progress import progress_bar
from edgeau._system.timing import RunTimes
from edgeau.bundle import Bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import input_of
from edgeau.bundle.verification import open_verified
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.session import Session
from edgeau_apps.bench.cold_start import measured_start
from edgeau_apps.bench.energy import EnergyMeter
from edgeau_apps.bench.result import Row
from edgeau_apps.bench.single_file import MeasuredFile

__all__ = ["BenchSettings", "measure", "measure_file"]

_WARM_UP = 3
_MOST_RUNS = 2000
_KEPT = 300  # samples in the file, spread over all runs


@dataclass(frozen=True)
class BenchSettings:
    """Settings of a benchmark.

    Attributes:
        threads: numbers of threads.
        batches: numbers of faces in one run.
        seconds: seconds of running for each row.
        artifact: which, see :meth:`edgeau.bundle.Bundle.artifacts`.
        starts: whether start-up and memory are measured too, in a process each.
    """

    threads: tuple[int, ...]
    batches: tuple[int, ...]
    seconds: float
    artifact: str | None
    starts: bool


@dataclass
class _Running:
    """A row that is being measured."""

    row: Row
    session: Session
    faces: NDArray[Any]
    times: RunTimes
    joules: float = 0.0


def measure(bundle: Bundle, settings: BenchSettings, meter: EnergyMeter | None) -> list[Row]:
    """Every artifact with every number of threads and batch size.

    Args:
        bundle: verified.
        settings: what is measured.
        meter: energy meter, entered; None where there is none.

    Raises:
        EngineError: nothing fits the engine that was asked for.
    """
    with ExitStack() as stack:
        found = [
            _opened(bundle, artifact, threads, batch, stack)
            for artifact in bundle.artifacts(settings.artifact)
            for threads in settings.threads
            for batch in settings.batches
        ]
        running = [one for one in found if isinstance(one, _Running)]
        _run(running, settings.seconds * len(running), meter)
    rows = [_finished(one, meter) if isinstance(one, _Running) else one for one in found]
    return [_with_start(bundle, row) for row in rows] if settings.starts else rows


def measure_file(file: MeasuredFile, settings: BenchSettings, meter: EnergyMeter | None) -> list[Row]:
    """A single file with every number of threads, one picture at a time; see :func:`measure`."""
    with ExitStack() as stack:
        found = [_opened_file(file, threads, stack) for threads in settings.threads]
        running = [one for one in found if isinstance(one, _Running)]
        _run(running, settings.seconds * len(running), meter)
    return [_finished(one, meter) if isinstance(one, _Running) else one for one in found]


def _opened_file(file: MeasuredFile, threads: int, stack: ExitStack) -> _Running | Row:
    row = Row(file.name, file.runtime, "as it is", threads, 1, file.bytes)
    try:
        session = stack.enter_context(file.open(threads))
        faces = np.zeros((1,), np.float32)
        for _ in range(_WARM_UP):
            session.run(faces)
    except (EngineError, DependencyError) as error:
        return replace(row, fault=str(error))
    return _Running(row, session, faces, RunTimes())


def _opened(bundle: Bundle, artifact: Artifact, threads: int, batch: int, stack: ExitStack) -> _Running | Row:
    row = Row(
        artifact.file,
        artifact.runtime,
        artifact.precision,
        threads,
        batch,
        artifact.bytes,
        model=bundle.directory.resolve().name,
        f1=None if artifact.accuracy is None else artifact.accuracy.f1_mean,
    )
    try:
        session = stack.enter_context(open_verified(bundle, artifact, threads=threads))
        crops = read_golden(bundle.path(bundle.manifest.golden)).crops
        faces = input_of(session, bundle.manifest.input, crops[np.arange(batch) % len(crops)])
        for _ in range(_WARM_UP):
            session.run(faces)
    except (EngineError, DependencyError) as error:
        return replace(row, fault=str(error))
    used = session.describe().threads
    return _Running(replace(row, threads=0 if used is None else used), session, faces, RunTimes())


def _run(running: Sequence[_Running], seconds: float, meter: EnergyMeter | None) -> None:
    rng = np.random.default_rng(0)
    end = time.perf_counter() + seconds
    with progress_bar(total=round(seconds), desc="measuring", unit="s") as bar:
        for _ in range(_MOST_RUNS):
            now = time.perf_counter()
            bar.n = min(round(seconds), round(seconds - (end - now)))
            bar.refresh()
            if now >= end and running and len(running[0].times) >= _WARM_UP:
                return
            for number in rng.permutation(len(running)):
                _run_once(running[number], meter)


def _run_once(one: _Running, meter: EnergyMeter | None) -> None:
    energy = meter.joules() if meter is not None else 0.0
    one.times.run(partial(one.session.run, one.faces))
    if meter is not None:
        one.joules += meter.joules() - energy


def _finished(one: _Running, meter: EnergyMeter | None) -> Row:
    times = np.array(one.times.wall_ms)
    p50, p95, p99 = (round(value, 4) for value in one.times.percentiles_ms(50, 95, 99))
    kept = times[np.linspace(0, len(times) - 1, min(_KEPT, len(times))).astype(int)]
    return replace(
        one.row,
        runs=len(times),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        joules=None if meter is None else round(one.joules / len(times), 6),
        samples_ms=tuple(round(float(value), 4) for value in kept),
    )


def _with_start(bundle: Bundle, row: Row) -> Row:
    if row.fault or row.batch != 1:
        return row
    start = measured_start(
        bundle.directory, bundle.name(row.artifact, row.runtime, row.precision), max(1, row.threads)
    )
    if start is None:
        return row
    memory_mb = None if start.memory_mb is None else round(start.memory_mb, 1)
    return replace(row, start_s=round(start.seconds, 3), memory_mb=memory_mb)
