"""Results of a run: the checkpoint, its figures, and what it said about the faces that it is measured on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from edgeau._system.records import to_dict
from edgeau.bundle.provenance import Provenance, StartingWeights, TrainedOn
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.datasets import LICENCES
from edgeau_training.evaluation.predictions import PREDICTIONS, Predictions, save_predictions
from edgeau_training.evaluation.report import write_document
from edgeau_training.trainer.framing import Framing
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.teacher import Teacher
from edgeau_training.trainer.training_data import SYNTHETIC, TrainingData
from edgeau_training.trainer.validation import figures_of

__all__ = ["CHECKPOINT", "LATEST", "METRICS", "SVMS", "Delivery"]

CHECKPOINT = "checkpoint.safetensors"
LATEST = "latest.safetensors"
METRICS = "metrics.json"
SVMS = "svm.safetensors"


class Delivery:
    """Writes into the folder of a run.

    Args:
        out: the folder.
        recipe: recipe of the run.
        data: that it was trained on.
        framing: framing of the network.
        start: what it started from, None for random weights.
        teacher: whose answers it imitated, or None.
        changes: what resumed runs were told to change, and when.
    """

    def __init__(
        self,
        out: Path,
        recipe: Recipe,
        data: TrainingData,
        framing: Framing,
        start: StartingWeights | None,
        teacher: Teacher | None = None,
        changes: tuple[str, ...] = (),
    ) -> None:
        self._out, self._fits = out, recipe.thresholds != "half"
        training = recipe.description
        if recipe.data.set != SYNTHETIC:
            training += f"; {recipe.data.set}, fold {data.fold}"
        if start is not None:
            training += f"; started from {start.file}"
        if teacher is not None:
            training += f"; imitates {teacher.name} (SHA-256 {teacher.sha256})"
        own = [LICENCES[recipe.data.set]] if recipe.data.set in LICENCES else []
        before = () if start is None else start.licences
        taught = () if teacher is None else teacher.licences
        self._info = CheckpointInfo(
            network=recipe.network,
            labels=data.labels,
            options=dict(recipe.options),
            input=to_dict(framing.input),
            alignment=framing.alignment.to_dict(),
            trained=True,
            training=training,
            dataset_digest=data.digest,
            licences=tuple(dict.fromkeys((*recipe.licences, *own, *before, *taught))),
            provenance=Provenance(
                started_from=start,
                trained_on=TrainedOn(recipe.data.set, data.fold, to_dict(recipe.data.options), data.digest),
                recipe=recipe.digest,
                changes=changes,
            ),
        )

    def latest(self, network: nn.Module, step: int, figures: dict[str, Any]) -> None:
        """The weights at a validation."""
        self._checkpoint(LATEST, network, step, {"validation": figures}, figures["thresholds"])

    def last(
        self,
        network: nn.Module,
        step: int,
        measured: dict[str, Predictions],
        fold: str,
        more: dict[str, Any],
    ) -> dict[str, Any]:
        """The weights at the end, with thresholds, figures and predictions.

        Args:
            network: with its last weights.
            step: optimiser steps done.
            measured: by side, ``validation`` or ``test``; the figures are those of the last.
            fold: fold of the data set.
            more: figures of other decisions.

        Returns:
            The figures, and of which side they and the thresholds are; ``thresholds_from`` is None for thresholds of .5.
        """
        figures = {side: figures_of(predictions) for side, predictions in measured.items()}
        side = list(figures)[-1]
        fitted = next(iter(figures)) if self._fits else None
        self._checkpoint(CHECKPOINT, network, step, figures, figures[side]["thresholds"])
        save_predictions(self._out / PREDICTIONS, measured)
        document = {"side": side, "fold": fold, "thresholds_from": fitted, **figures[side], **more}
        write_document(self._out / METRICS, document)
        return document

    def decided_by_svms(self, network: nn.Module, step: int, predictions: Predictions) -> dict[str, Any]:
        """The network whose classifier is linear SVMs, as a checkpoint of its own; gives its figures."""
        figures = figures_of(predictions)
        told = "decided by linear SVMs on the vector before the classifier"
        self._checkpoint(SVMS, network, step, {"svm": figures}, figures["thresholds"], told)
        return figures

    def _checkpoint(
        self,
        name: str,
        network: nn.Module,
        step: int,
        metrics: dict[str, Any],
        thresholds: dict[str, float],
        told: str = "",
    ) -> None:
        training = f"{self._info.training}; {told}" if told else self._info.training
        info = replace(self._info, step=step, thresholds=thresholds, metrics=metrics, training=training)
        save_checkpoint(self._out / name, network, info)
