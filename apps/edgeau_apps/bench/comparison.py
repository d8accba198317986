"""Two results side by side, and whether the difference is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeau.errors import InputError
from edgeau_apps.bench.result import Result

__all__ = ["Compared", "compare", "mann_whitney_p"]


@dataclass(frozen=True)
class Compared:
    """A row of both results.

    Attributes:
        artifact: file.
        runtime: engine of both.
        label: name of the first row for people.
        threads: number of threads of both.
        batch: batch of both.
        before_ms: median of the first.
        after_ms: median of the second.
        p_value: chance of a difference at least as large if both came from one distribution, 0..1.
    """

    artifact: str
    runtime: str
    label: str
    threads: int
    batch: int
    before_ms: float
    after_ms: float
    p_value: float

    @property
    def change(self) -> float:
        """Change of the median, as a share: -0.1 is 10 % faster."""
        return self.after_ms / self.before_ms - 1


def compare(before: Result, after: Result) -> list[Compared]:
    """The rows that both results have, in the order of the first.

    Raises:
        InputError: they have none in common.
    """
    later = {row.key: row for row in after.rows if row.p50_ms is not None}
    rows = []
    for row in before.rows:
        other = later.get(row.key)
        if row.p50_ms is None or other is None or other.p50_ms is None:
            continue
        p_value = mann_whitney_p(row.samples_ms, other.samples_ms)
        rows.append(
            Compared(
                row.artifact,
                row.runtime,
                row.label,
                row.threads,
                row.batch,
                row.p50_ms,
                other.p50_ms,
                p_value,
            )
        )
    if not rows:
        raise InputError(
            "the two results have no measured row in common: artifact, engine, threads and batch must be the same"
        )
    return rows


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value of the rank-sum test, by its normal approximation with ties and continuity corrected.

    Mann & Whitney 1947. Runs on one machine follow one another and are not quite independent, so a p-value near the limit
    proves little: repeat the whole benchmark.
    """
    values = np.concatenate((first, second))
    n, m = len(first), len(second)
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks = (last - (sizes - 1) / 2)[group]  # ties share the mean of their ranks
    statistic = float(ranks[:n].sum()) - n * (n + 1) / 2
    ties = float((sizes**3 - sizes).sum())
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0
    distance = max(0.0, abs(statistic - n * m / 2) - 0.5)
    return math.erfc(distance / math.sqrt(2 * variance))
