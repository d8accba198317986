"""Which artifact, with how many threads, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from edgeau.bundle.timing import Timing

__all__ = ["Slower", "by_processor_time", "is_disturbed", "ranked", "slower_than_float"]

# Two rows nearer than this are equally fast. Ours: repeated measurements differ by some per cent.
_EQUAL = 1.05
# A thread that got less than this share of a processor was disturbed.
_COMPUTING = 0.7
# Of equally fast artifacts the truest, then the one that leaves most processors to the rest of the program.
_TRUEST = ("fp32", "fp16")


class Slower(NamedTuple):
    """A quantized artifact with its best number of threads, and the float one that is faster with as many."""

    quantized: Timing
    best_float: Timing

    def __str__(self) -> str:
        return f"{self.quantized.precision} is slower than float on this machine: {self.quantized}, against {self.best_float}"


def ranked(rows: Sequence[Timing]) -> list[Timing]:
    """The timed rows, in the order in which to try them: the first one is the choice.

    An artifact of less than float precision comes first only when it is really faster than every float one.

    Args:
        rows: of :func:`edgeau.bundle.benchmark.measure_engines`, in the bundle's order.
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
    """Whether other programs took the processors while rows with one thread were timed.

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
    """Every quantized artifact that is slower here than the fastest float one with as many threads."""
    timed = sorted((row for row in rows if row.latency_ms is not None), key=_latency)
    fastest: dict[str, Timing] = {}
    for row in timed:
        if row.precision not in _TRUEST:
            fastest.setdefault(row.file, row)
    floats = [row for row in timed if row.precision in _TRUEST]
    pairs = ((row, _best_beside(row, floats)) for row in fastest.values())
    return [Slower(row, best) for row, best in pairs if best is not None and _latency(row) > _latency(best)]


def _best_beside(row: Timing, floats: Sequence[Timing]) -> Timing | None:
    return next((other for other in floats if other.threads == row.threads), None)


def _preference(row: Timing) -> tuple[int, int, float]:
    truth = _TRUEST.index(row.precision) if row.precision in _TRUEST else len(_TRUEST)
    return truth, row.threads or 0, _latency(row)


def _latency(row: Timing) -> float:
    assert row.latency_ms is not None
    return row.latency_ms
