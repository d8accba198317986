"""The training loop: stages, one optimiser, one averaged model, a state that survives kill -9."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from edgeau.errors import CheckpointError, UsageError
from edgeau_training.augmentation import View
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.losses import build_loss
from edgeau_training.networks import build_network
from edgeau_training.sampling import Sampler, build_sampler
from edgeau_training.sampling.cursor import Cursor
from edgeau_training.trainer.averaging import Average
from edgeau_training.trainer.batches import Batch, Batches
from edgeau_training.trainer.delivery import Delivery
from edgeau_training.trainer.engine import Engine, SharedStudent
from edgeau_training.trainer.framing import framing_of
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.optimisation import build_optimiser
from edgeau_training.trainer.prefetching import prefetched
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.replicas import Replicas
from edgeau_training.trainer.run_log import RunLog
from edgeau_training.trainer.schedule import learning_rate, progress
from edgeau_training.trainer.stage import Stage
from edgeau_training.trainer.starting_weights import set_mean_image, start_from
from edgeau_training.trainer.state import Place, load_state, save_state
from edgeau_training.trainer.student import Answers, Normaliser, Student, start_residuals_at_identity
from edgeau_training.trainer.svm_decision import check_features, svm_figures
from edgeau_training.trainer.training_data import open_training_data
from edgeau_training.trainer.validation import evenly, figures_of, predict, thresholds_by

__all__ = ["STATE", "Run", "RunOptions"]

STATE = "state.pt"
CROPS = "crops"
_LOG_EVERY = 50
_OF_THE_LOSS = 1 << 20  # in place of a process's number: a draw of the loss is the same in all processes


@dataclass(frozen=True)
class RunOptions:
    """What is no part of a recipe.

    Attributes:
        resume: go on from the state in the run's folder.
        fold: division of the data set; "" for the recipe's.
        crops: folder of aligned crops; None for one in the run's folder.
        pretrained: file that the network starts from.
        device: see :data:`~edgeau_training.trainer.engine.DEVICES`.
        workers: threads that make the pictures of a batch.
        svm: measure linear SVMs on the vector before the classifier as well.
    """

    resume: bool = False
    fold: str = ""
    crops: Path | None = None
    pretrained: Path | None = None
    device: str = "cpu"
    workers: int = 1
    svm: bool = False


class Run:
    """One training run in one folder.

    Args:
        recipe: what to do.
        data: folder of the data set.
        out: where state, log and checkpoints go.
        options: what is no part of the recipe.

    Raises:
        UserError: the data, the recipe or the state do not fit.
    """

    def __init__(self, recipe: Recipe, data: Path, out: Path, options: RunOptions | None = None) -> None:
        self.recipe, self.out, self.options = recipe, out, options or RunOptions()
        self.engine = Engine(self.options.device, recipe.precision)
        self.place, saved = self._opened()
        torch.manual_seed(recipe.seed)
        if recipe.replicas > 1:
            torch.set_num_threads(1)  # the replicas are the threads
        self.framing = framing_of(recipe.network, recipe.options, recipe.data.set, recipe.data.canvas)
        self.data = open_training_data(
            recipe,
            data,
            self.options.crops or out / CROPS,
            self.framing,
            self.options.fold,
            self.place.parts or None,
            self.engine.fabric.rank_zero_first,
        )
        self.place.parts = self.data.parts
        self.normaliser = Normaliser(self.framing.input)
        self.targets = self._targets(saved)
        network, started = self._network(resumed=bool(saved))
        self._build(network)
        if saved:
            self._restore(saved)
        self._batch_maker()
        self.delivery = Delivery(out, recipe, self.data, self.framing, saved.get("start", started))
        self.start = saved.get("start", started)
        self.log = RunLog(out if self.engine.first else None, self.place.step)
        self.recent: list[dict[str, float]] = []  # losses since the last line of the log
        self._tell("resumed" if saved else "started", faces=len(self.data.train), recipe=recipe.description)

    def finish(self) -> dict[str, Any]:
        """Runs what is left of the recipe and writes the checkpoint.

        Returns:
            The figures of the test side, or of the whole validation side where there is none.
        """
        while self.place.stage < len(self.recipe.stages):
            stage = self.recipe.stages[self.place.stage]
            if stage.restart and not self.place.stage_steps:
                self.place.since = [self.place.step, self.place.epoch]
            self._train(stage)
            self._validate(stage)
            seconds = round(self.place.stage_seconds)
            self._tell("stage done", steps=self.place.stage_steps, seconds=seconds)
            self.place.stage += 1
            if self.place.taken:
                self._next_epoch()
            self.place.stage_epoch = self.place.epoch
            self.place.stage_steps, self.place.stage_seconds = 0, 0.0
            self._save()
        figures = self._deliver()
        self.log.close()
        return figures

    def _opened(self) -> tuple[Place, dict[str, Any]]:
        if not self.options.resume:
            return Place(), {}
        place, saved = load_state(self.out / STATE)
        mine, theirs = self._identity(), saved["identity"]
        differing = [key for key in mine if theirs.get(key) != mine[key]]
        if differing:
            key = differing[0]
            raise CheckpointError(
                f"{self.out / STATE} is of a run with {key} {theirs.get(key)!r}, the recipe has {mine[key]!r}; "
                "resume with the recipe that it was started with, or name another --out"
            )
        return place, saved

    def _identity(self) -> dict[str, str]:
        """What a state must share with the recipe that goes on from it."""
        recipe = self.recipe
        return {
            "network": recipe.network,
            "options": repr(sorted(recipe.options.items())),
            "labels": " ".join(recipe.labels),
            "data set": recipe.data.set,
            "fold": self.options.fold or recipe.data.fold,
            "auxiliary": " ".join(sorted(recipe.auxiliary)),
            "optimiser": recipe.optimiser.name,
        }

    def _targets(self, saved: dict[str, Any]) -> GeometryTargets | None:
        if not self.recipe.auxiliary.get("landmarks"):
            return None
        if saved:
            return GeometryTargets(**{key: value.numpy() for key, value in saved["targets"].items()})
        points = self.data.points()
        if points is None:
            raise UsageError(
                f"{self.recipe.data.set} has no landmarks to learn; leave them out of [auxiliary]"
            )
        return GeometryTargets.fit(points, self.framing.canvas)

    def _network(self, *, resumed: bool) -> tuple[nn.Module, str]:
        """The network with its first weights, and the file that they came from."""
        network = build_network(self.recipe.network, self.data.labels, **self.recipe.options)
        if self.recipe.from_scratch:
            start_residuals_at_identity(network)
        path = self.options.pretrained
        if resumed:
            return network, ""
        set_mean_image(network, self.data.train, self.framing.view)
        if path is None:
            return network, ""
        report = start_from(network, self.recipe, path)
        if self.engine.first:
            print(report, file=sys.stderr)
        return network, path.name

    def _build(self, network: nn.Module) -> None:
        recipe = self.recipe
        if recipe.replicas > 1 and (self.engine.world > 1 or _draws(network)):
            raise UsageError("replicas > 1 train a network without dropout in one process; set replicas = 1")
        tap = (recipe.tap["module"], recipe.tap["channels"]) if recipe.tap else None
        coordinates = None
        if any(recipe.auxiliary.values()):
            coordinates = 0 if self.targets is None else self.targets.mean.size
        student = Student(network, len(self.data.labels), coordinates, tap)
        student = student.to(self.engine.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.student: Student = student.train()
        if self.options.svm:
            check_features(student)
        optimiser = build_optimiser(self.student, recipe.optimiser)
        self.worker: Replicas | SharedStudent = (
            Replicas(self.student, recipe.replicas, optimiser)
            if recipe.replicas > 1
            else SharedStudent(self.engine, self.student, optimiser)
        )
        self.average = Average(self.student, recipe.optimiser.ema_decay)
        options = dict(recipe.loss)
        self.loss = build_loss(options.pop("name"), **options)

    def _batch_maker(self) -> None:
        """Sampler, batches and the loss's counts, of the training side as it is now."""
        recipe, data = self.recipe, self.data
        intensity = data.intensity() if recipe.auxiliary.get("intensity") else None
        if intensity is None and recipe.auxiliary.get("intensity"):
            raise UsageError(f"{recipe.data.set} codes no intensities; leave them out of [auxiliary]")
        points = data.points() if self.targets is not None else None
        self.batches = Batches(data.train, recipe.seed, intensity, points, self.targets, self.options.workers)
        options = dict(recipe.sampler)
        self.sampler: Sampler = build_sampler(options.pop("name"), data.train, recipe.seed, **options)
        known, present = data.train.mask > 0, data.train.occurrence > 0
        positives = (known & present).sum(axis=0, dtype=np.int64)
        negatives = (known & ~present).sum(axis=0, dtype=np.int64)
        device = self.engine.device
        self.loss.fit(torch.from_numpy(positives).to(device), torch.from_numpy(negatives).to(device))

    def _restore(self, saved: dict[str, Any]) -> None:
        self.student.load_state_dict(saved["student"])
        self.average.student.load_state_dict(saved["average"])
        self.worker.optimiser.load_state_dict(saved["optimiser"])
        self.worker.restore_scaling(saved["scaling"])
        self.worker.share_statistics()

    def _save(self) -> None:
        targets = {} if self.targets is None else vars(self.targets)
        parts = {
            "identity": self._identity(),
            "start": self.start,
            "student": self.student.state_dict(),
            "average": self.average.student.state_dict(),
            "optimiser": self.worker.optimiser.state_dict(),
            "scaling": self.worker.scaling(),
            "targets": {key: torch.from_numpy(value) for key, value in targets.items()},
        }
        if self.engine.first:
            save_state(self.out / STATE, self.place, parts)

    def _train(self, stage: Stage) -> None:
        """Steps until the stage is done."""
        started = time.monotonic() - self.place.stage_seconds
        hidden = None if self.engine.first else True
        with tqdm(
            total=stage.steps or None, desc=stage.name, disable=hidden, initial=self.place.stage_steps
        ) as bar:
            while True:
                cursor = self._cursor(stage)
                if (done := self._fraction(stage)) >= 1:
                    return
                batches = prefetched(self._batches(stage, cursor))
                while parts := list(islice(batches, self.recipe.accumulate)):
                    figures = self._step(stage, parts, done)
                    bar.update()
                    bar.set_postfix(figures, refresh=False)
                    seconds = time.monotonic() - started
                    self.place.stage_seconds = self.engine.of_first(seconds) if stage.minutes else seconds
                    self._between_steps(stage)
                    if (done := self._fraction(stage)) >= 1:
                        return
                self._next_epoch()
                if not self.recipe.validate_every:
                    self._validate(stage)

    def _cursor(self, stage: Stage) -> Cursor:
        """At the place in the current epoch."""
        cursor = Cursor(self.sampler, stage.batch)
        cursor.restore({"epoch": self.place.epoch, "position": self.place.taken})
        self._length = cursor.batches * stage.batch  # faces of this epoch in whole batches
        return cursor

    def _fraction(self, stage: Stage) -> float:
        epochs = self.place.epoch - self.place.stage_epoch + self.place.taken / self._length
        return stage.fraction(self.place.stage_steps, epochs, self.place.stage_seconds)

    def _batches(self, stage: Stage, cursor: Cursor) -> Iterator[Batch]:
        """This process's share of each part of each batch, in turns."""
        each = stage.batch // self.recipe.accumulate
        share, rest = divmod(each, self.engine.world)
        if rest or share < 2:
            raise UsageError(
                f"stage {stage.name!r}: batch {stage.batch} in {self.recipe.accumulate} parts cannot be shared by "
                f"{self.engine.world} processes, 2 faces or more each; change the batch"
            )
        view = self.framing.view_of(stage.pixels, stage.field)
        augmentation = self.recipe.augmentation.scaled(stage.augmentation)
        start = self.place.taken
        for draw in cursor.epoch():
            for part in range(self.recipe.accumulate):
                first = part * each + self.engine.rank * share
                mine = slice(first, first + share)
                yield from self.batches.epoch([draw], view, augmentation, self.place.epoch, start, mine)
            start += len(draw)

    def _step(self, stage: Stage, parts: list[Batch], done: float) -> dict[str, float]:
        rate = self._rate(stage, done)
        for group in self.worker.optimiser.param_groups:
            group["lr"] = rate * group["rate"]
        losses: dict[str, Tensor] = {}
        cells = self._cells(stage.field)
        for number, part in enumerate(parts):
            batch = part.to(self.engine.device)
            self._seed(number, self.engine.rank)
            criterion = self._criterion(batch, number, losses)
            self.worker.step(self.normaliser(batch.images), cells, criterion, number == len(parts) - 1)
        norm = self.worker.clip(self.recipe.optimiser.clip)
        self.worker.update()
        self.place.step += 1
        self.place.stage_steps += 1
        self.place.taken += stage.batch
        self.average.update(self.place.stage_steps)
        figures = {name: float(value) for name, value in losses.items()}
        self.recent.append(figures)
        if self.place.step % _LOG_EVERY == 0:
            means = {name: round(float(np.mean([one[name] for one in self.recent])), 4) for name in losses}
            self.recent.clear()
            self._tell("step", rate=round(rate, 7), gradient=round(norm, 3), **means)
        return {**figures, "rate": rate}

    def _rate(self, stage: Stage, done: float) -> float:
        step, epoch = self.place.since
        since = (self.place.step - step, self.place.epoch - epoch)
        whole = progress(self.recipe.stages, self.place.stage, done)
        return stage.rate * learning_rate(self.recipe.optimiser, self.place.step, whole, since)

    def _cells(self, field: float) -> int:
        return round(7 * (field or self.framing.field) / self.framing.field)

    def _seed(self, part: int, stream: int) -> None:
        """Everything random in a step comes from its number, so that a resumed run needs no generator's state."""
        words = np.random.SeedSequence((self.recipe.seed, self.place.step, part, stream)).generate_state(1)
        torch.manual_seed(int(words[0]))

    def _criterion(self, batch: Batch, part: int, losses: dict[str, Tensor]) -> Callable[[Answers], Tensor]:
        """The loss of one part; adds its figures to ``losses``."""
        weights, engine, count = self.recipe.auxiliary, self.engine, self.recipe.accumulate

        def note(name: str, value: Tensor) -> None:
            losses[name] = losses.get(name, torch.zeros_like(value)) + value.detach() / count

        def criterion(answers: Answers) -> Tensor:
            self._seed(part, _OF_THE_LOSS)
            whole = (engine.whole(tensor) for tensor in (answers.logits, batch.occurrence, batch.mask))
            occurrence = self.loss(*whole)
            note("occurrence", occurrence)
            # Processes average their gradients, and each has only its share of this one.
            total = engine.world * occurrence
            if answers.intensity is not None and batch.intensity is not None:
                heads = len(answers.intensity)  # each head is asked the same
                error = (answers.intensity - batch.intensity) * batch.mask
                intensity = error.square().sum() / (heads * len(batch))
                note("intensity", intensity)
                total = total + weights["intensity"] * intensity
            if answers.points is not None and batch.points is not None:
                points = functional.smooth_l1_loss(answers.points, batch.points.expand_as(answers.points))
                note("landmarks", points)
                total = total + weights["landmarks"] * points
            return total / count

        return criterion

    def _between_steps(self, stage: Stage) -> None:
        if self.place.step % self.recipe.save_every == 0:
            self._save()
        if self.recipe.validate_every and self.place.step % self.recipe.validate_every == 0:
            self._validate(stage)

    def _next_epoch(self) -> None:
        """Counts on, and takes in what has appeared since."""
        self.place.epoch += 1
        self.place.taken = 0
        if self.data.grow():
            self.place.parts = self.data.parts
            self._batch_maker()
            self._tell("data grew", faces=len(self.data.train))

    def _validate(self, stage: Stage) -> None:
        data = self.data.validation or self.data.test
        assert data is not None
        rows = evenly(len(data), self.recipe.validation_faces)
        view = self.framing.view_of(stage.pixels, stage.field if stage.pixels else 0)
        predictions = self._predict(data, rows, view)
        figures = figures_of(predictions.with_thresholds(thresholds_by(self.recipe.thresholds, predictions)))
        self._tell("validation", **figures)
        if self.engine.first:
            self.delivery.latest(self.average.student.network, self.place.step, figures)

    def _predict(self, data: LabelledCrops, rows: NDArray[np.int64], view: View) -> Predictions:
        return predict(
            self.average.student,
            data,
            rows,
            view,
            self.normaliser,
            cells=self._cells(view.field),
            engine=self.engine,
            threads=self.recipe.replicas,
        )

    def _deliver(self) -> dict[str, Any]:
        """Thresholds come from validation, figures from the test side where there is one."""
        sides = {"validation": self.data.validation, "test": self.data.test}
        measured, thresholds = {}, None
        for side, data in sides.items():
            if data is None:
                continue
            predictions = self._predict(data, np.arange(len(data)), self.framing.view)
            if thresholds is None:
                thresholds = thresholds_by(self.recipe.thresholds, predictions)
            measured[side] = predictions.with_thresholds(thresholds)
        figures = figures_of(list(measured.values())[-1])
        if self.engine.first:
            network = self.average.student.network
            svm = {"svm": self._svm()} if self.options.svm else {}
            figures = self.delivery.last(network, self.place.step, measured, self.data.fold, svm)
        self._tell("delivered", **figures)
        self.engine.fabric.barrier()
        return figures

    def _svm(self) -> dict[str, Any]:
        measured = self.data.test or self.data.validation
        assert measured is not None
        student, view = self.average.student, self.framing.view
        return svm_figures(student, self.data.train, measured, view, self.normaliser, self.engine, self.out)

    def _tell(self, kind: str, **values: Any) -> None:
        """One line of the log; it says where the run was."""
        stages = self.recipe.stages
        name = stages[min(self.place.stage, len(stages) - 1)].name
        seconds = round(self.place.stage_seconds, 1)
        self.log.event(
            kind, self.place.step, stage=name, epoch=self.place.epoch, stage_seconds=seconds, **values
        )


def _draws(network: nn.Module) -> bool:
    """Whether a network draws random numbers in training."""
    return any(isinstance(module, nn.Dropout) and module.p > 0 for module in network.modules())
