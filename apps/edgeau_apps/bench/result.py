"""Result of a benchmark and its file: every figure with what is needed to repeat it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgeau._system.json_text import json_text, parse_json
from edgeau._system.records import from_dict, to_dict
from edgeau.errors import InputError, RecordError

__all__ = ["MeasuringConditions", "Result", "Row", "median_interval", "read_result", "shown_ms"]

_Z = 1.959964  # of the normal distribution, two-sided 95 %


@dataclass(frozen=True)
class Row:
    """One artifact with one number of threads and one batch size.

    Attributes:
        artifact: file in the bundle.
        runtime: engine's name.
        precision: precision of the artifact.
        threads: that one inference used; 0 where the engine decides.
        batch: faces in one run.
        bytes: size of the file.
        fault: why it was not measured; "" when it was.
        runs: how many were timed.
        p50_ms: median of a run, milliseconds.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile; the largest run where fewer than a hundred were made.
        start_s: from starting a Python process to its first answer, seconds.
        memory_mb: largest resident memory of that process, in 1e6 bytes; None where the system does not say.
        joules: energy of the whole processor or board while one run lasts; None where the board does not say.
        samples_ms: the runs, in their order; for comparisons.
        model: name of the bundle or of the file, for people.
        f1: mean F1 that the bundle states of the artifact, 0..1; None where none was measured.
    """

    artifact: str
    runtime: str
    precision: str
    threads: int
    batch: int
    bytes: int
    fault: str = ""
    runs: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    start_s: float | None = None
    memory_mb: float | None = None
    joules: float | None = None
    samples_ms: tuple[float, ...] = ()
    model: str = ""
    f1: float | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Values that make two rows comparable: two engines may run the same file."""
        return self.artifact, self.runtime, self.threads, self.batch

    @property
    def label(self) -> str:
        """Name for people: the model, its precision and its engine."""
        return f"{self.model or self.artifact} {self.precision} ({self.runtime})"


@dataclass(frozen=True)
class MeasuringConditions:
    """Place, date and software of a benchmark.

    Attributes:
        command: as it was typed.
        date: UTC, ISO 8601.
        edgeau: its version.
        bundle: digest of the bundle's manifest.
        network: its title.
        board: name of the machine.
        processor: its name.
        cores: that could be used.
        os: system and version.
        python: version.
        engines: engine -> version.
        load: processes that ran or waited to run when it began, 1-minute mean; None where the system does not say.
        temperature_c: hottest sensor before and after; None where there is none.
        throttled: what the board said of throttling, "" for nothing.
    """

    command: str
    date: str
    edgeau: str
    bundle: str
    network: str
    board: str
    processor: str
    cores: int
    os: str
    python: str
    engines: dict[str, str] = field(default_factory=dict)
    load: float | None = None
    temperature_c: tuple[float | None, float | None] = (None, None)
    throttled: str = ""


@dataclass(frozen=True)
class Result:
    """A whole benchmark."""

    provenance: MeasuringConditions
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """Convert to a document."""
        return json_text(to_dict(self), indent=1) + "\n"


def shown_ms(value: float | None) -> str:
    """Milliseconds for people: one decimal, and two digits of less than one."""
    if value is None:
        return "-"
    return f"{value:.1f}" if value >= 1 or not value else f"{value:.2g}"


def median_interval(samples: Sequence[float]) -> tuple[float, float] | None:
    """Ends of the 95 % interval of the median, by order statistics: how many runs lie below a median is binomial.

    Runs on one machine follow one another and are not quite independent, so that the true interval is somewhat wider.

    Args:
        samples: runs in any order.

    Returns:
        The ends; None for fewer than eight runs, which hold no such interval.
    """
    count = len(samples)
    below = math.floor((count - _Z * math.sqrt(count)) / 2)
    if below < 1:
        return None
    ordered = sorted(samples)
    return ordered[below - 1], ordered[count - below]


def read_result(path: Path) -> Result:
    """A result that was written before.

    Raises:
        InputError: the file is missing or is none.
    """
    try:
        return _checked(from_dict(Result, parse_json(path.read_text("utf-8")), str(path)))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecordError) as error:
        raise InputError(
            f"{path} is not a result of edgeau-bench ({error}); make one with: edgeau-bench --out bench.json"
        ) from error


def _checked(result: Result) -> Result:
    for row in result.rows:
        _check(row)
    return result


def _check(row: Row) -> None:
    """Refuse figures that nothing measured: NaN, which Python's JSON has, times of nothing, and a median of no runs."""
    times = [value for value in (row.p50_ms, row.p95_ms, row.p99_ms, *row.samples_ms) if value is not None]
    others = (row.start_s, row.memory_mb, row.joules, row.f1)
    if not all(math.isfinite(value) for value in (*times, *others) if value is not None):
        raise ValueError(f"{row.label} has figures that are no numbers")
    if row.p50_ms is not None and (not row.samples_ms or min(times) <= 0):
        raise ValueError(f"{row.label} has a median without runs, or a run that took no time")
