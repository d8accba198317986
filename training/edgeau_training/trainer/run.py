"""The training loop: stages, one optimiser, one averaged model, a state that survives kill -9."""

from __future__ import annotations

import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from edgeau._system.progress import progress_bar
from edgeau.errors import CheckpointError
from edgeau_training.trainer.batches import Batch
from edgeau_training.trainer.delivery import Delivery
from edgeau_training.trainer.objective import seed_step
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.run_log import RunLog
from edgeau_training.trainer.run_options import RunOptions
from edgeau_training.trainer.schedule import learning_rate, progress
from edgeau_training.trainer.stage import Stage
from edgeau_training.trainer.state import Place, load_state, save_state
from edgeau_training.trainer.svm_decision import decided_by_svms
from edgeau_training.trainer.trainee import Trainee
from edgeau_training.trainer.validation import evenly, figures_of, thresholds_by

__all__ = ["STATE", "Run"]

STATE = "state.pt"
_LOG_EVERY = 50
# Without these a state cannot even be loaded.
_BUILT_IN = ("network", "options", "labels", "heads")


class Run:
    """One training run in one folder.

    Args:
        recipe: what to do.
        data: folder of the data set.
        out: where state, log and checkpoints go.
        options: what is not part of the recipe.

    Raises:
        UserError: the data, the recipe or the state do not fit.
    """

    def __init__(self, recipe: Recipe, data: Path, out: Path, options: RunOptions | None = None) -> None:
        self.recipe, self.out, self.options = recipe, out, options or RunOptions()
        self.place, saved = self._opened()
        self.trainee = Trainee(recipe, data, out, self.options, self.place.parts, saved)
        if self.trainee.data_changed:
            self.place.changes.append(f"from step {self.place.step}: {self.trainee.data_changed}")
        self.processes = self.trainee.processes
        self.place.parts = self.trainee.data.parts
        self.delivery = Delivery(
            out,
            recipe,
            self.trainee.data,
            self.trainee.framing,
            self.trainee.start,
            self.trainee.teacher,
            tuple(self.place.changes),
        )
        self.log = RunLog(out if self.processes.first else None, self.place.step)
        self.recent: list[dict[str, float]] = []  # losses since the last line of the log
        faces = len(self.trainee.data.train)
        self._tell("resumed" if saved else "started", faces=faces, recipe=recipe.description)

    def finish(self) -> dict[str, Any]:
        """Runs what is left of the recipe and writes the checkpoint.

        Returns:
            The figures of the test side, or of the whole validation side where there is none.
        """
        try:
            self._train_stages()
            return self._deliver()
        finally:
            # No thread may be at work in C++ code when Python ends.
            self.trainee.close()
            self.log.close()

    def _train_stages(self) -> None:
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

    def _opened(self) -> tuple[Place, dict[str, Any]]:
        if not self.options.resume:
            return Place(), {}
        place, saved = load_state(self.out / STATE)
        mine, theirs = self._identity(), saved["identity"]
        differing = self.recipe.differs_in(theirs)
        differing += [key for key in ("fold", "heads") if theirs.get(key) != mine[key]]
        hard = [key for key in differing if key in _BUILT_IN]
        if hard or (differing and not self.options.changed):
            key = (hard or differing)[0]
            advice = "" if hard else ", or continue anyway with --changed-recipe"
            raise CheckpointError(
                f"{self.out / STATE} belongs to a run with {key} {theirs.get(key, 'of its default')}, the recipe has {mine[key]}; "
                f"resume with the recipe that it was started with, name another --out{advice}"
            )
        place.changes += [f"from step {place.step}: {key}" for key in differing]
        return place, saved

    def _identity(self) -> dict[str, str]:
        """Collect what a state must share with the recipe that goes on from it."""
        recipe = self.recipe
        heads = " ".join((*sorted(recipe.auxiliary), *map(str, recipe.tap.values())))
        return {**recipe.identity, "fold": self.options.fold or recipe.data.fold, "heads": heads}

    def _save(self) -> None:
        if self.processes.first:
            parts = {"identity": self._identity(), **self.trainee.state()}
            save_state(self.out / STATE, self.place, parts)

    def _train(self, stage: Stage) -> None:
        """Steps until the stage is done."""
        started = time.monotonic() - self.place.stage_seconds
        with progress_bar(
            total=stage.steps or None,
            desc=stage.name,
            hidden=not self.processes.first,
            initial=self.place.stage_steps,
        ) as bar:
            while True:
                faces, batches = self.trainee.feed.epoch(stage, self.place.epoch, self.place.taken)
                with closing(batches):
                    if (done := self._fraction(stage, faces)) >= 1:
                        return
                    while parts := list(islice(batches, self.recipe.accumulate)):
                        figures = self._step(stage, parts, done)
                        bar.update()
                        bar.set_postfix(figures, refresh=False)
                        seconds = time.monotonic() - started
                        self.place.stage_seconds = (
                            self.processes.of_first(seconds) if stage.minutes else seconds
                        )
                        self._between_steps(stage)
                        if (done := self._fraction(stage, faces)) >= 1:
                            return
                self._next_epoch()
                if not self.recipe.validate_every:
                    self._validate(stage)

    def _fraction(self, stage: Stage, faces: int) -> float:
        """Compute how much of a stage is done; an epoch has so many faces."""
        epochs = self.place.epoch - self.place.stage_epoch + self.place.taken / faces
        return stage.fraction(self.place.stage_steps, epochs, self.place.stage_seconds)

    def _step(self, stage: Stage, parts: list[Batch], done: float) -> dict[str, float]:
        trainee, place = self.trainee, self.place
        rate = self._rate(stage, done)
        for group in trainee.worker.optimiser.param_groups:
            group["lr"] = rate * group["rate"]
        losses: dict[str, Tensor] = {}
        for number, part in enumerate(parts):
            batch = part.to(self.processes.device)
            seed_step(self.recipe.seed, place.step, number, self.processes.rank)
            criterion = trainee.objective.criterion(batch, place.step, number, losses)
            images, last = trainee.normaliser(batch.images), number == len(parts) - 1
            trainee.worker.step(images, trainee.cells(stage.field), criterion, last)
        norm = trainee.worker.clip(self.recipe.optimiser.clip)
        trainee.worker.update()
        place.step += 1
        place.stage_steps += 1
        place.taken += stage.batch
        trainee.average.update(place.stage_steps)
        figures = {name: float(value) for name, value in losses.items()}
        self._note(figures, rate, norm)
        return {**figures, "rate": rate}

    def _note(self, figures: dict[str, float], rate: float, norm: float) -> None:
        """Every so many steps a line of the log, with means since the last."""
        self.recent.append(figures)
        if self.place.step % _LOG_EVERY == 0:
            means = {name: round(float(np.mean([one[name] for one in self.recent])), 4) for name in figures}
            self.recent.clear()
            self._tell("step", rate=round(rate, 7), gradient=round(norm, 3), **means)

    def _rate(self, stage: Stage, done: float) -> float:
        step, epoch = self.place.since
        since = (self.place.step - step, self.place.epoch - epoch)
        whole = progress(self.recipe.stages, self.place.stage, done)
        return stage.rate * learning_rate(self.recipe.optimiser, self.place.step, whole, since)

    def _between_steps(self, stage: Stage) -> None:
        if self.place.step % self.recipe.save_every == 0:
            self._save()
        if self.recipe.validate_every and self.place.step % self.recipe.validate_every == 0:
            self._validate(stage)

    def _next_epoch(self) -> None:
        """Counts on, and takes in what has appeared since."""
        self.place.epoch += 1
        self.place.taken = 0
        if self.trainee.grow():
            self.place.parts = self.trainee.data.parts
            self._tell("data grew", faces=len(self.trainee.data.train))

    def _validate(self, stage: Stage) -> None:
        """At the stage's own view, where it names one."""
        data = self.trainee.data.validation or self.trainee.data.test
        assert data is not None
        rows = evenly(len(data), self.recipe.validation_faces)
        view = self.trainee.framing.view_of(stage.pixels, stage.field if stage.pixels else 0)
        predictions = self.trainee.predict(data, rows, view)
        figures = figures_of(predictions.with_thresholds(thresholds_by(self.recipe.thresholds, predictions)))
        self._tell("validation", **figures)
        if self.processes.first:
            self.delivery.latest(self.trainee.average.student.network, self.place.step, figures)

    def _deliver(self) -> dict[str, Any]:
        """Thresholds come from validation, figures from the test side where there is one."""
        data, measured, thresholds = self.trainee.data, {}, None
        for side, crops in (("validation", data.validation), ("test", data.test)):
            if crops is None:
                continue
            predictions = self.trainee.predict(crops, np.arange(len(crops)), self.trainee.framing.view)
            if thresholds is None:
                thresholds = thresholds_by(self.recipe.thresholds, predictions)
            measured[side] = predictions.with_thresholds(thresholds)
        figures = figures_of(list(measured.values())[-1])
        if self.processes.first:
            network = self.trainee.average.student.network
            svm = {"svm": self._svm()} if self.options.svm else {}
            figures = self.delivery.last(network, self.place.step, measured, data.fold, svm)
        self._tell("delivered", **figures)
        self.processes.fabric.barrier()
        return figures

    def _svm(self) -> dict[str, Any]:
        one = self.trainee
        measured = one.data.test or one.data.validation
        assert measured is not None
        student, view = one.average.student, one.framing.view
        network, predictions = decided_by_svms(
            student, one.data.train, measured, view, one.normaliser, self.processes
        )
        return self.delivery.decided_by_svms(network, self.place.step, predictions)

    def _tell(self, kind: str, **values: Any) -> None:
        """One line of the log; it says where the run was."""
        stages = self.recipe.stages
        name = stages[min(self.place.stage, len(stages) - 1)].name
        seconds = round(self.place.stage_seconds, 1)
        self.log.event(
            kind, self.place.step, stage=name, epoch=self.place.epoch, stage_seconds=seconds, **values
        )
