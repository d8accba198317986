"""Running a model over a labelled data set, in batches, into one table of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeau._system.progress import progress_bar
from edgeau.errors import InputError
from edgeau_training.evaluation.faces.batch import LabelledFaces
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.scorers.scorer import Scorer

__all__ = ["BATCH", "ModelPredictions", "predict"]

BATCH = 32  # faces; at 256 x 256 pixels some 20 MB on the way through a network


@dataclass(frozen=True)
class ModelPredictions:
    """Predictions of several models on the same faces.

    Attributes:
        predictions: predictions of each model.
        left_out: how many pictures show no face.
        names: names of the pictures, where the data has them.
    """

    predictions: tuple[Predictions, ...]
    left_out: int
    names: tuple[str, ...] = ()


def predict(
    scorers: Sequence[Scorer],
    faces: LabelledFaces,
    limit: int | None = None,
    labels: Sequence[str] | None = None,
) -> ModelPredictions:
    """Run every model over the same faces, reading the data once.

    Args:
        scorers: one or more models.
        faces: the data.
        limit: only the first so many faces.
        labels: only these AUs, in this order; None takes all that model and data share.

    Raises:
        InputError: a model shares no label with the data, needs pictures that are not there, or no face was found.
    """
    common = [_common_labels(scorer, faces, labels) for scorer in scorers]
    logits: list[list[NDArray[np.float32]]] = [[] for _ in scorers]
    truth: list[NDArray[np.int8]] = []
    groups: list[NDArray[np.int64]] = []
    at_rest: list[NDArray[np.bool_]] = []
    pictures: list[str] = []
    known_unreadable = faces.unreadable
    total = faces.count if limit is None else min(limit, faces.count)
    with progress_bar(total=total, unit="face", desc=faces.name) as progress:
        for batch in faces.batches(BATCH, limit):
            for answers, scorer in zip(logits, scorers, strict=True):
                answers.append(scorer.logits(batch))
            truth.append(batch.truth)
            groups.extend(() if batch.groups is None else (batch.groups,))
            at_rest.extend(() if batch.at_rest is None else (batch.at_rest,))
            pictures.extend(batch.names or ())
            progress.update(len(batch.truth))
    if not truth:
        why = f" ({faces.problems[-1]})" if faces.unreadable else ""
        raise InputError(f"{faces.name} gave no face to evaluate on{why}")
    together = np.concatenate(truth)
    persons = np.concatenate(groups) if groups else None
    rest = np.concatenate(at_rest) if at_rest else None
    tables = (
        replace(
            _table(scorer, np.concatenate(answers), names, together[:, _columns(faces, names)]),
            groups=persons,
            at_rest=rest,
        )
        for scorer, answers, names in zip(scorers, logits, common, strict=True)
    )
    unreadable = faces.unreadable - known_unreadable
    return ModelPredictions(tuple(tables), total - len(together) - unreadable, tuple(pictures))


def _common_labels(scorer: Scorer, faces: LabelledFaces, wanted: Sequence[str] | None) -> tuple[str, ...]:
    if scorer.needs_pictures and not faces.has_pictures:
        raise InputError(
            f"{scorer.name} needs pictures, and {faces.name} has landmarks only; evaluate the landmark model alone "
            "(--part landmark) or give data with pictures"
        )
    order = scorer.labels if wanted is None else wanted
    common = tuple(label for label in order if label in scorer.labels and label in faces.labels)
    if not common:
        raise InputError(
            f"{scorer.name} and {faces.name} share no {'wanted ' if wanted else ''}label: "
            f"the model has {', '.join(scorer.labels)}, the data {', '.join(faces.labels)}"
        )
    return common


def _columns(faces: LabelledFaces, labels: Sequence[str]) -> list[int]:
    return [faces.labels.index(label) for label in labels]


def _table(
    scorer: Scorer,
    logits: NDArray[np.float32],
    labels: tuple[str, ...],
    truth: NDArray[np.int8],
) -> Predictions:
    rows = [scorer.labels.index(label) for label in labels]
    return Predictions(labels, logits[:, rows], truth, scorer.thresholds[rows])
