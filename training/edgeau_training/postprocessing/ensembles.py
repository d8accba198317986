"""Several models' answers as one: averaged logits, averaged probabilities, hard majority vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError, UsageError
from edgeau.metrics import sigmoid
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["ENSEMBLES", "average_logits", "average_probabilities", "ensemble_of", "majority_vote"]

ENSEMBLES = ("logits", "probabilities", "vote")
# Of a probability that stands for certainty, in logits of +-14.
_CERTAIN = 1e-6


def average_logits(logits: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """The mean of the models' logits, float64 ``(N, C)``; its sigmoid is the ensemble's probability.

    SIAT-NTU's ensemble. The paper takes a sigmoid of averaged probabilities, which would squeeze all of them into .5 to
    .731; one sigmoid of averaged logits is what its final code does.

    Args:
        logits: logits of M models, each ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    return np.asarray(_stacked(logits).mean(axis=0))


def average_probabilities(logits: Sequence[NDArray[np.floating[Any]]]) -> NDArray[np.float64]:
    """The mean of the models' probabilities, float64 ``(N, C)``, 0..1. Nothing may be applied to it but a threshold.

    Args:
        logits: logits of M models, each ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    return np.asarray(sigmoid(_stacked(logits).astype(np.float32)).mean(axis=0))


def majority_vote(decisions: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Present where more than half of the models say so, boolean ``(N, C)``: 3 of 5, 3 of 4. USTC's ensemble.

    Args:
        decisions: decisions of M models, each boolean ``(N, C)``.

    Raises:
        InputError: there is none, or they differ in shape.
    """
    votes = _stacked(decisions)
    return np.asarray(2 * votes.sum(axis=0) > len(votes))


def ensemble_of(members: Sequence[Predictions], kind: str) -> Predictions:
    """Several models' predictions on the same faces as those of one model.

    Thresholds are the mean of the members'. Of a vote, the probability is the share of the members that say "present", at a
    threshold of just over one half, so that its decisions are those of :func:`majority_vote`.

    Args:
        members: members of M models, for the same faces and labels.
        kind: one of :data:`ENSEMBLES`.

    Raises:
        InputError: there is none, or they differ in labels or faces.
        UsageError: the kind is not known.
    """
    if kind not in ENSEMBLES:
        raise UsageError(f"ensemble {kind!r} is not known; known: {', '.join(ENSEMBLES)}")
    shared = (
        [label for label in members[0].labels if all(label in one.labels for one in members)]
        if members
        else []
    )
    if not shared:
        raise InputError("an ensemble needs models that share a label")
    chosen = [one.select(shared) for one in members]
    if any(not np.array_equal(one.truth, chosen[0].truth) for one in chosen):
        raise InputError("the models of an ensemble were not run on the same faces")
    thresholds = np.mean([one.thresholds for one in chosen], axis=0)
    if kind == "logits":
        return replace(
            chosen[0],
            logits=average_logits([one.logits for one in chosen]).astype(np.float32),
            thresholds=thresholds,
        )
    if kind == "probabilities":
        shares = average_probabilities([one.logits for one in chosen])
    else:
        shares = _stacked([one.decisions for one in chosen]).mean(axis=0)
        thresholds = np.full(len(shared), 0.5 + 1 / (4 * len(chosen)))
    inside = np.clip(shares, _CERTAIN, 1 - _CERTAIN)
    return replace(chosen[0], logits=np.log(inside / (1 - inside)).astype(np.float32), thresholds=thresholds)


def _stacked(answers: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    shapes = sorted({answer.shape for answer in answers})
    if len(shapes) != 1:
        raise InputError(
            f"an ensemble needs answers of one shape from one model or more, got {shapes or 'none'}"
        )
    return np.asarray(np.stack(answers), np.float64)
