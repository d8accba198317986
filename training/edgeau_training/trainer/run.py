"""The training loop: stages of growing resolution, one optimiser, one averaged model, a state that survives kill -9."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from edgeau_training.augmentation import View
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.losses import build_loss
from edgeau_training.networks import build_network
from edgeau_training.trainer.averaging import Average
from edgeau_training.trainer.batches import Batch, epoch_batches, prefetched
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.recipe import Recipe, Stage
from edgeau_training.trainer.replicas import Replicas
from edgeau_training.trainer.schedule import learning_rate, progress
from edgeau_training.trainer.state import Place, load_state, save_state
from edgeau_training.trainer.student import Answers, Student, normalise, start_residuals_at_identity
from edgeau_training.trainer.validation import validate

__all__ = ["STATE", "Run"]

STATE = "state.pt"
LOG = "log.jsonl"
CHECKPOINT = "checkpoint.safetensors"
LATEST = "latest.safetensors"
METRICS = "metrics.json"
_LOG_EVERY = 50


class Run:
    """One training run in one folder.

    Args:
        recipe: what to do.
        data: folder of edgeau-synth.
        out: where state, log and checkpoints go.
        resume: go on from the state in ``out``.

    Raises:
        UserError: the data, the recipe or the state do not fit.
    """

    def __init__(self, recipe: Recipe, data: Path, out: Path, resume: bool) -> None:
        self.recipe, self.data, self.out = recipe, data, out
        self.place = Place()
        self.recent: list[dict[str, float]] = []  # losses since the last line of the log
        torch.manual_seed(recipe.seed)
        torch.set_num_threads(1)  # the replicas are the threads
        saved: dict[str, Any] = {}
        if resume:
            self.place, saved = load_state(out / STATE)
        else:
            self.place.shards = list_shards(data, "train")
        self.faces = self._read_faces()
        self.targets = _targets_from(saved) if saved else GeometryTargets.fit(self.faces.points)
        self._build()
        if saved:
            self._restore(saved)
        out.mkdir(parents=True, exist_ok=True)
        self._log("resumed" if resume else "started", faces=len(self.faces), recipe=recipe.description)

    def finish(self) -> dict[str, Any]:
        """Runs what is left of the recipe and writes the checkpoint.

        Returns:
            The figures of the whole validation split at deployment resolution.
        """
        while self.place.stage < len(self.recipe.stages):
            stage = self.recipe.stages[self.place.stage]
            self._train(stage)
            self._validate(stage)
            self._log(
                "stage done",
                stage=stage.name,
                steps=self.place.stage_steps,
                seconds=round(self.place.stage_seconds),
            )
            self.place.stage += 1
            self._next_epoch()
            self.place.stage_steps, self.place.stage_seconds = 0, 0.0
            self._save()
        return self._deliver()

    def _build(self) -> None:
        network = build_network(self.recipe.network, self.recipe.labels, **self.recipe.options)
        if self.recipe.from_scratch:
            start_residuals_at_identity(network)
        tap = (self.recipe.tap["module"], self.recipe.tap["channels"]) if self.recipe.tap else None
        student = Student(network, len(self.recipe.labels), self.targets.mean.size, tap)
        self.student = student.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.replicas = Replicas(self.student, self.recipe.replicas)
        self.average = Average(self.student, self.recipe.optimiser.ema_decay)
        self.optimiser = _optimiser(self.student, self.recipe)
        options = dict(self.recipe.loss)
        self.loss = build_loss(options.pop("name"), **options)

    def _restore(self, saved: dict[str, Any]) -> None:
        self.student.load_state_dict(saved["student"])
        self.average.student.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.replicas.share_statistics()
        torch.set_rng_state(saved["generator"])  # last: building the network drew from it

    def _save(self) -> None:
        parts = {
            "student": self.student.state_dict(),
            "average": self.average.student.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "targets": {key: torch.from_numpy(value) for key, value in vars(self.targets).items()},
        }
        save_state(self.out / STATE, self.place, parts)

    def _train(self, stage: Stage) -> None:
        """Steps until the stage is done."""
        started = time.monotonic() - self.place.stage_seconds
        with tqdm(
            total=stage.steps or None, desc=stage.name, disable=None, initial=self.place.stage_steps
        ) as bar:
            while stage.fraction(self.place.stage_steps, self.place.stage_seconds) < 1:
                self._fit_loss()
                for batch in self._batches(stage):
                    self._step(stage, batch)
                    bar.update()
                    self.place.stage_seconds = time.monotonic() - started
                    self._between_steps(stage)
                    if stage.fraction(self.place.stage_steps, self.place.stage_seconds) >= 1:
                        return
                self._next_epoch()

    def _batches(self, stage: Stage) -> Any:
        return prefetched(
            epoch_batches(
                self.faces,
                self.targets,
                View(stage.pixels, stage.field),
                self.recipe.augmentation.scaled(stage.augmentation),
                size=stage.batch,
                seed=self.recipe.seed,
                epoch=self.place.epoch,
                start=self.place.taken,
            )
        )

    def _step(self, stage: Stage, batch: Batch) -> None:
        done = progress(
            self.recipe.stages,
            self.place.stage,
            stage.fraction(self.place.stage_steps, self.place.stage_seconds),
        )
        rate = stage.rate * learning_rate(self.recipe.optimiser, self.place.step, done)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["rate"]
        losses: dict[str, Tensor] = {}
        self.replicas.step(normalise(batch.images), stage.field, self._criterion(batch, losses))
        norm = torch.nn.utils.clip_grad_norm_(self.student.parameters(), self.recipe.optimiser.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.place.step += 1
        self.place.stage_steps += 1
        self.place.taken += len(batch)
        self.average.update(self.place.stage_steps)
        self.recent.append({name: float(value) for name, value in losses.items()})
        if self.place.step % _LOG_EVERY == 0:
            figures = {name: round(float(np.mean([one[name] for one in self.recent])), 4) for name in losses}
            self.recent.clear()
            self._log("step", rate=round(rate, 7), gradient=round(float(norm), 3), **figures)

    def _criterion(self, batch: Batch, losses: dict[str, Tensor]) -> Callable[[Answers], Tensor]:
        weights = self.recipe.auxiliary

        def criterion(answers: Answers) -> Tensor:
            occurrence = self.loss(answers.logits, batch.occurrence, batch.mask)
            heads = len(answers.intensity)  # each head is asked the same
            error = answers.intensity - batch.intensity
            intensity = error.square().sum() / (heads * len(batch))
            points = functional.smooth_l1_loss(answers.points, batch.points.expand_as(answers.points))
            losses.update(
                occurrence=occurrence.detach(), intensity=intensity.detach(), landmarks=points.detach()
            )
            return (
                occurrence
                + weights.get("intensity", 0.0) * intensity
                + weights.get("landmarks", 0.0) * points
            )

        return criterion

    def _between_steps(self, stage: Stage) -> None:
        if self.place.step % self.recipe.save_every == 0:
            self._save()
        if self.place.step % self.recipe.validate_every == 0:
            self._validate(stage)

    def _next_epoch(self) -> None:
        """Counts on, and takes in the shards that have appeared since."""
        self.place.epoch += 1
        self.place.taken = 0
        shards = list_shards(self.data, "train")
        if shards != self.place.shards:
            self.place.shards = shards
            self.faces = self._read_faces()
            self._log("data grew", faces=len(self.faces))

    def _read_faces(self) -> SyntheticFaces:
        return SyntheticFaces.read(self.data, "train", self.recipe.labels, self.place.shards)

    def _fit_loss(self) -> None:
        positives = torch.from_numpy(self.faces.occurrence.sum(axis=0, dtype=np.int64))
        self.loss.fit(positives, len(self.faces) - positives)

    def _validate(self, stage: Stage) -> None:
        faces = SyntheticFaces.read(self.data, "val", self.recipe.labels).first(self.recipe.validation_faces)
        view = View(stage.pixels, stage.field)
        figures = validate(self.average.student, faces, self.targets, view, threads=self.recipe.replicas)
        self._log("validation", **figures)
        self._write(LATEST, {"validation": figures})

    def _deliver(self) -> dict[str, Any]:
        faces = SyntheticFaces.read(self.data, "val", self.recipe.labels)
        figures = validate(
            self.average.student, faces, self.targets, View(224, 224), threads=self.recipe.replicas
        )
        self._log("delivered", **figures)
        self._write(CHECKPOINT, {"validation": figures})
        (self.out / METRICS).write_text(json.dumps(figures, indent=2) + "\n")
        return figures

    def _write(self, name: str, metrics: dict[str, Any]) -> None:
        info = CheckpointInfo(
            network=self.recipe.network,
            labels=self.recipe.labels,
            options=dict(self.recipe.options),
            trained=True,
            training=self.recipe.description,
            dataset_digest=_digest_of(self.data),
            licences=self.recipe.licences,
            step=self.place.step,
            thresholds=metrics["validation"]["thresholds"],
            metrics=metrics,
        )
        save_checkpoint(self.out / name, self.average.student.network, info)

    def _log(self, event: str, **values: Any) -> None:
        """One line of the log; it says where the run was."""
        stages = self.recipe.stages
        name = stages[min(self.place.stage, len(stages) - 1)].name
        line = {"event": event, "time": round(time.time(), 1), "step": self.place.step, "stage": name}
        line |= {"epoch": self.place.epoch, "stage_seconds": round(self.place.stage_seconds, 1), **values}
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps(line) + "\n")


def _targets_from(saved: dict[str, Any]) -> GeometryTargets:
    return GeometryTargets(**{key: value.numpy() for key, value in saved["targets"].items()})


def _optimiser(student: Student, recipe: Recipe) -> torch.optim.AdamW:
    options = recipe.optimiser
    linear = {id(module.weight) for module in student.modules() if isinstance(module, nn.Linear)}
    groups = [
        {
            "params": [one for one in student.parameters() if (one.ndim > 1, id(one) in linear) == kind],
            "weight_decay": options.weight_decay if kind[0] else 0.0,
            "rate": options.linear_rate if kind[1] else 1.0,
        }
        for kind in ((True, False), (True, True), (False, False))
    ]
    return torch.optim.AdamW(groups, lr=options.lr, betas=options.betas, foreach=True)


def _digest_of(data: Path) -> str:
    """SHA-256 of the data set's description, which names rig, generator, seed and counts."""
    return "sha256:" + hashlib.sha256((data / "dataset.json").read_bytes()).hexdigest()
