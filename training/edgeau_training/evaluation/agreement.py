"""Agreement of predicted intensities with coded ones: correlation (PCC) and consistency (ICC).

Intensities are what AU benchmarks score by ICC(3,1): two-way mixed effects, single rater, consistency (Shrout & Fleiss,
"Intraclass correlations: uses in assessing rater reliability", Psychological Bulletin 86(2), 1979).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["icc_3_1", "intensity_agreement", "pearson"]


def pearson(truth: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]]) -> float:
    """Pearson's correlation of two series ``(n,)``, -1..1; NaN where one of them is constant or n < 2."""
    if len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(truth, predicted)[0, 1])


def icc_3_1(ratings: NDArray[np.floating[Any]]) -> float:
    """ICC(3,1) = (BMS - EMS) / (BMS + (k - 1) EMS) of n targets by k raters.

    BMS is the mean square between targets and EMS the residual one, after raters' own means are taken out.

    Args:
        ratings: ``(n, k)``; for a model's intensities k = 2, the coder and the model.

    Returns:
        -1/(k-1)..1; NaN where n < 2, k < 2, or all ratings are equal.
    """
    targets, raters = ratings.shape
    if targets < 2 or raters < 2:
        return float("nan")
    values = np.asarray(ratings, np.float64)
    centred = values - values.mean()
    between = raters * float((centred.mean(axis=1) ** 2).sum())
    by_rater = targets * float((centred.mean(axis=0) ** 2).sum())
    residual = max(float((centred**2).sum()) - between - by_rater, 0.0)
    bms, ems = between / (targets - 1), residual / ((targets - 1) * (raters - 1))
    total = bms + (raters - 1) * ems
    return (bms - ems) / total if total > 0 else float("nan")


def intensity_agreement(
    truth: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """PCC and ICC(3,1) per AU over known entries, float64 ``(C,)`` each; NaN where undefined.

    Args:
        truth: ``(N, C)`` coded intensities.
        predicted: ``(N, C)``, in the same unit.
        known: boolean ``(N, C)``.
    """
    columns = [(truth[known[:, c], c], predicted[known[:, c], c]) for c in range(truth.shape[1])]
    correlations = [pearson(coded, answered) for coded, answered in columns]
    consistencies = [icc_3_1(np.column_stack(pair)) for pair in columns]
    return np.array(correlations), np.array(consistencies)
