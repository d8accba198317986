"""Several models' answers as one: averaged logits, averaged probabilities, hard majority vote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.metrics import sigmoid

__all__ = ["average_logits", "average_probabilities", "majority_vote"]


def average_logits(logits: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """The mean of the models' logits, float64 ``(N, C)``; its sigmoid is the ensemble's probability.

    SIAT-NTU's ensemble. The paper takes a sigmoid of averaged probabilities, which would squeeze all of them into .5 to
    .731; one sigmoid of averaged logits is what its final code does.

    Args:
        logits: of M models, each ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    return np.asarray(_stacked(logits).mean(axis=0))


def average_probabilities(logits: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """The mean of the models' probabilities, float64 ``(N, C)``, 0..1. Nothing may be applied to it but a threshold.

    Args:
        logits: of M models, each ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    return np.asarray(sigmoid(_stacked(logits).astype(np.float32)).mean(axis=0))


def majority_vote(decisions: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Present where more than half of the models say so, boolean ``(N, C)``: 3 of 5, 3 of 4. USTC's ensemble.

    Args:
        decisions: of M models, each boolean ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    votes = _stacked(decisions)
    return np.asarray(2 * votes.sum(axis=0) > len(votes))


def _stacked(answers: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    shapes = sorted({answer.shape for answer in answers})
    if len(shapes) != 1:
        raise InputError(
            f"an ensemble needs answers of one shape from one model or more, got {shapes or 'none'}"
        )
    return np.asarray(np.stack(answers), np.float64)
