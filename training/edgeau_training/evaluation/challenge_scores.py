"""The single numbers that challenges rank by."""

from __future__ import annotations

from edgeau.metrics import macro_mean
from edgeau_training.evaluation.metrics import count
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["abaw_score", "emotionet_score"]


def emotionet_score(predictions: Predictions) -> float:
    """(mean accuracy over AUs + mean F1 over AUs) / 2, 0..1; an F1 without any positive counts as 0."""
    counts = count(predictions)
    return (macro_mean(counts.accuracy) + macro_mean(counts.f1)) / 2


def abaw_score(predictions: Predictions) -> float:
    """Mean F1 over AUs, 0..1; an F1 without any positive counts as 0."""
    return macro_mean(count(predictions).f1)
