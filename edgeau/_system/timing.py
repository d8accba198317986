"""Wall and processor time of repeated runs: one stopwatch and the statistics that are taken from it.

Which statistic answers which question:

- how fast something is here (choosing an artifact, weighing candidates): the lower quartile. What disturbs a run only ever makes it
  longer, and the very shortest may be an accident;
- what a machine can do at best (a roofline): the shortest;
- what a user will meet (a benchmark's table): percentiles, slow runs included.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

__all__ = ["RunTimes"]

Result = TypeVar("Result")


class RunTimes:
    """Times of runs of one thing.

    Attributes:
        wall_ms: wall time of each run, milliseconds.
        cpu_ms: processor time of each run, all threads of this process together, milliseconds.
    """

    def __init__(self) -> None:
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    def __len__(self) -> int:
        return len(self.wall_ms)

    def run(self, work: Callable[[], Result]) -> Result:
        """Run once and note how long it took; a run that raises is not noted."""
        start, start_cpu = time.perf_counter(), time.process_time()
        result = work()
        taken, taken_cpu = time.perf_counter() - start, time.process_time() - start_cpu
        self.wall_ms.append(1e3 * taken)
        self.cpu_ms.append(1e3 * taken_cpu)
        return result

    @property
    def quartile_ms(self) -> float:
        """Lower quartile of the wall times."""
        return float(np.percentile(self.wall_ms, 25))

    @property
    def cpu_quartile_ms(self) -> float:
        """Lower quartile of the processor times."""
        return float(np.percentile(self.cpu_ms, 25))

    @property
    def best_ms(self) -> float:
        """The shortest wall time."""
        return min(self.wall_ms)

    def percentiles_ms(self, *shares: float) -> tuple[float, ...]:
        """Percentiles of the wall times, each a time that was measured: of two neighbours the longer."""
        return tuple(float(value) for value in np.percentile(self.wall_ms, shares, method="higher"))
