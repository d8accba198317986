"""F1 per AU of several sets of decisions about the same faces, with bootstrap intervals, and how far they drop.

All sets of decisions are resampled together, so that the interval of a drop is that of a paired difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.metrics import bootstrap_weights, f1_scores, percentile_interval

__all__ = ["RESAMPLES", "Scores", "score"]

RESAMPLES = 1000


@dataclass(frozen=True)
class Scores:
    """Scores of one set of decisions; NaN where an AU has no positive.

    Attributes:
        f1: float64 ``(C,)``.
        f1_ends: lower and upper ends, ``(C, 2)``.
        mean: over the AUs that have one.
        mean_ends: ``(2,)``.
        drop: mean of the first set minus this one; 0 for the first.
        drop_ends: ``(2,)``.
        drop_worst: largest drop of one AU.
    """

    f1: NDArray[np.float64]
    f1_ends: NDArray[np.float64]
    mean: float
    mean_ends: NDArray[np.float64]
    drop: float
    drop_ends: NDArray[np.float64]
    drop_worst: float


def score(
    truth: NDArray[np.int8],
    decisions: list[NDArray[np.bool_]],
    persons: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> list[Scores]:
    """Scores of every set of decisions, the first being the reference of the drops.

    Args:
        truth: ``(n, C)``: 1, 0, or -1 where not labelled.
        decisions: bool ``(n, C)`` each.
        persons: resampled as wholes, ``(n,)``; None resamples faces.
        seed: seed of the draws.
    """
    # The first row counts every face once.
    drawn = bootstrap_weights(len(truth), RESAMPLES, persons, seed)
    weights = np.vstack((np.ones(len(truth)), drawn))
    f1 = [f1_scores(decided, truth == 1, truth >= 0, weights) for decided in decisions]
    return [_scores(values, f1[0]) for values in f1]


def _scores(values: NDArray[np.float64], reference: NDArray[np.float64]) -> Scores:
    known = np.isfinite(values[0])
    if not known.any():
        nothing = np.full(2, np.nan)
        ends = np.full((values.shape[1], 2), np.nan)
        return Scores(values[0], ends, np.nan, nothing, np.nan, nothing, np.nan)
    means = values[:, known].mean(axis=1)
    drops = (reference - values)[:, known]
    return Scores(
        f1=values[0],
        f1_ends=percentile_interval(values[1:]),
        mean=float(means[0]),
        mean_ends=percentile_interval(means[1:]),
        drop=float(drops[0].mean()),
        drop_ends=percentile_interval(drops[1:].mean(axis=1)),
        drop_worst=float(drops[0].max()),
    )
