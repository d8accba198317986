"""F1 per AU of several sets of decisions about the same faces, with bootstrap intervals, and how far they drop.

All sets of decisions are resampled together, so that the interval of a drop is that of a paired difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RESAMPLES", "Scores", "score"]

RESAMPLES = 1000
_CONFIDENCE = 95.0


@dataclass(frozen=True)
class Scores:
    """Of one set of decisions; NaN where an AU has no positive.

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
        truth: ``(n, C)``: 1, 0, or -1 where not judged.
        decisions: bool ``(n, C)`` each.
        persons: resampled as wholes, ``(n,)``; None resamples faces.
        seed: of the draws.
    """
    weights = np.vstack((np.ones(len(truth)), _draws(len(truth), persons, seed)))
    f1 = [_f1(truth, decided, weights) for decided in decisions]
    return [_scores(values, f1[0]) for values in f1]


def _draws(count: int, persons: NDArray[np.int64] | None, seed: int) -> NDArray[np.float64]:
    """How often each face is in each resample, ``(RESAMPLES, n)``."""
    groups = np.arange(count) if persons is None else persons
    _, member = np.unique(groups, return_inverse=True)
    total = int(member.max()) + 1
    random = np.random.default_rng(seed)
    drawn = [np.bincount(random.integers(total, size=total), minlength=total) for _ in range(RESAMPLES)]
    return np.stack(drawn)[:, member].astype(np.float64)


def _f1(
    truth: NDArray[np.int8], decided: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``(1 + RESAMPLES, C)``; NaN for AUs without a positive in the data."""
    known, present = truth >= 0, truth == 1
    tp = weights @ (decided & present)
    wrong = weights @ ((decided != present) & known)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(tp + wrong > 0, 2 * tp / (2 * tp + wrong), 0.0)
    values[:, ~present.any(axis=0)] = np.nan
    return np.asarray(values)


def _scores(values: NDArray[np.float64], reference: NDArray[np.float64]) -> Scores:
    judged = np.isfinite(values[0])
    if not judged.any():
        nothing = np.full(2, np.nan)
        ends = np.full((values.shape[1], 2), np.nan)
        return Scores(values[0], ends, np.nan, nothing, np.nan, nothing, np.nan)
    means = values[:, judged].mean(axis=1)
    drops = (reference - values)[:, judged]
    return Scores(
        f1=values[0],
        f1_ends=_ends(values[1:]).T,
        mean=float(means[0]),
        mean_ends=_ends(means[1:]),
        drop=float(drops[0].mean()),
        drop_ends=_ends(drops[1:].mean(axis=1)),
        drop_worst=float(drops[0].max()),
    )


def _ends(values: NDArray[np.float64]) -> NDArray[np.float64]:
    outside = (100 - _CONFIDENCE) / 2
    return np.asarray(np.percentile(values, (outside, 100 - outside), axis=0))
