"""A network in training, with its data: built from a recipe, taken apart into a state, asked for predictions."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from timm.layers.drop import DropPath
from torch import nn

from edgeau._system.records import from_dict, to_dict
from edgeau.bundle.provenance import StartingWeights
from edgeau.errors import CheckpointError, UsageError
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.networks import build_network
from edgeau_training.networks.mrpnet import MRPNet
from edgeau_training.trainer.feed import Feed
from edgeau_training.trainer.framing import Framing, framing_of
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.objective import Objective
from edgeau_training.trainer.optimisation import build_optimiser, restore_optimiser
from edgeau_training.trainer.process_group import ProcessGroup, SharedStudent
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.replicas import Replicas
from edgeau_training.trainer.run_options import RunOptions
from edgeau_training.trainer.starting_weights import set_mean_image, start_from
from edgeau_training.trainer.student import Normaliser, Student, start_residuals_at_identity
from edgeau_training.trainer.svm_decision import check_features
from edgeau_training.trainer.teacher import Teacher
from edgeau_training.trainer.training_data import open_training_data
from edgeau_training.trainer.validation import predict

__all__ = ["CROPS", "Average", "Trainee"]


class Average:
    """A copy of a student that follows it slowly.

    Exponential moving average of weights and running statistics: what is validated and shipped.

    Args:
        student: to follow.
        decay: decay of one step, 0..1; in the first steps of a stage less, so that the random start, or the statistics of another
            resolution, are forgotten.
    """

    def __init__(self, student: Student, decay: float) -> None:
        self.student = copy.deepcopy(student).eval().requires_grad_(False)
        self.decay = decay
        self._mine = _floats(self.student)
        self._followed = _floats(student)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After optimiser step ``step`` (from 1) of the stage."""
        decay = min(self.decay, step / (step + 10))
        torch._foreach_lerp_(self._mine, self._followed, 1 - decay)


def _floats(model: nn.Module) -> list[torch.Tensor]:
    return [tensor for tensor in model.state_dict(keep_vars=False).values() if tensor.is_floating_point()]


CROPS = "crops"
FOLD = "{fold}"  # in the name of a file to start from stands for that of the fold


class Trainee:
    """Everything that a run trains, and trains on.

    Args:
        recipe: what to build.
        root: folder of the data set.
        out: folder of the run.
        options: what is not part of the recipe.
        parts: parts of the data, of a run that is resumed.
        saved: what :meth:`state` gave, or nothing.

    Raises:
        UserError: the data, the recipe or the options do not fit.
    """

    def __init__(
        self,
        recipe: Recipe,
        root: Path,
        out: Path,
        options: RunOptions,
        parts: list[str],
        saved: dict[str, Any],
    ) -> None:
        self._recipe, self._options = recipe, options
        self.processes = ProcessGroup(options.device, recipe.precision)
        torch.manual_seed(recipe.seed)
        if recipe.replicas > 1:
            torch.set_num_threads(1)  # the replicas are the threads
        self.framing = framing_of(
            recipe.network, recipe.options, recipe.data.set, recipe.data.canvas, align=recipe.data.align
        )
        crops, first = options.crops or out / CROPS, self.processes.fabric.rank_zero_first
        self.data = open_training_data(recipe, root, crops, self.framing, options.fold, parts or None, first)
        self.data_changed = self._other_data(saved)
        self.teacher = self._teacher(saved)
        self.normaliser = Normaliser(self.framing.input)
        self._targets = self._landmark_targets(saved)
        start = saved.get("start")
        self.start = from_dict(StartingWeights, start, "start") if isinstance(start, dict) else None
        self.student = self._student(resumed=bool(saved))
        self.objective = Objective(recipe, self.processes)
        self.feed = self._feed()
        optimiser = build_optimiser(self.student, recipe.optimiser)
        self.worker: Replicas | SharedStudent = (
            Replicas(self.student, recipe.replicas, optimiser)
            if recipe.replicas > 1
            else SharedStudent(self.processes, self.student, optimiser)
        )
        self.average = Average(self.student, recipe.optimiser.ema_decay)
        if saved:
            self._restore(saved)

    def grow(self) -> bool:
        """Takes in data that has appeared since; whether there was any. A teacher was asked about what there was."""
        if self.teacher is not None or not self.data.grow():
            return False
        self.feed.close()
        self.feed = self._feed()
        return True

    def close(self) -> None:
        """Ends every thread that trains; predictions can still be made."""
        self.feed.close()
        self.worker.close()

    def state(self) -> dict[str, Any]:
        """Tensors and plain values from which another trainee goes on."""
        targets = {} if self._targets is None else vars(self._targets)
        return {
            "data": self.data.digest,
            "division": self.data.division,
            "labels": list(self.data.labels),
            "start": None if self.start is None else to_dict(self.start),
            "teacher": "" if self.teacher is None else self.teacher.sha256,
            "student": self.student.state_dict(),
            "average": self.average.student.state_dict(),
            "optimiser": self.worker.optimiser.state_dict(),
            "scaling": self.worker.scaling(),
            "targets": {key: torch.from_numpy(value) for key, value in targets.items()},
        }

    def cells(self, field: float) -> int:
        """Number of MRP-Net's 7 cells a side that a view of this field spans; 0 is the device's."""
        return round(7 * (field or self.framing.field) / self.framing.field)

    def predict(self, data: LabelledCrops, rows: NDArray[np.int64], view: CropView) -> Predictions:
        """Predict these rows with the averaged weights."""
        return predict(
            self.average.student,
            data,
            rows,
            view,
            self.normaliser,
            cells=self.cells(view.field),
            processes=self.processes,
            threads=self._recipe.replicas,
        )

    def _other_data(self, saved: dict[str, Any]) -> str:
        """Name what is other in the data of a resumed run than it began with, and may be; "" where nothing is.

        Raises:
            CheckpointError: nobody said that it may, or the labels are others, which no weights are for.
        """
        if not saved:
            return ""
        # States of before the division was recorded do not have it.
        same_division = saved.get("division", self.data.division) == self.data.division
        if saved["data"] == self.data.digest and same_division:
            return ""
        if saved["labels"] != list(self.data.labels):
            raise CheckpointError(
                f"the run to resume learns {' '.join(saved['labels'])}, the data now have {' '.join(self.data.labels)}; "
                "give the data that it was started with, or name another --out"
            )
        if not self._options.changed:
            raise CheckpointError(
                "the run to resume began with other pictures or labels than the data have now, or with another division of them into "
                "sides, people and clips; give those, name another --out, or continue anyway with --changed-recipe"
            )
        return (
            "sides, people, clips or intensities"
            if saved["data"] == self.data.digest
            else "pictures or labels"
        )

    def _teacher(self, saved: dict[str, Any]) -> Teacher | None:
        """Read the answers that are imitated.

        Raises:
            UserError: the recipe asks for a teacher and none is given, or the other way round, or the answers do not fit.
            CheckpointError: a resumed run imitated other answers.
        """
        path, wanted = self._options.teacher, self._recipe.imitation > 0
        if wanted and path is None:
            raise UsageError(f"the recipe has imitation = {self._recipe.imitation}: give --teacher FILE")
        if path is not None and not wanted:
            raise UsageError(
                f"--teacher {path} is given, and the recipe imitates nobody: set its imitation above 0"
            )
        teacher = None if path is None else Teacher(path, self.data.train)
        before = saved.get("teacher", "")
        if saved and not self._options.changed and before != ("" if teacher is None else teacher.sha256):
            raise CheckpointError(
                f"the run to resume imitated other answers than {path}; give those, name another --out, or continue anyway "
                "with --changed-recipe"
            )
        return teacher

    def _feed(self) -> Feed:
        self.objective.fit(self.data.train)
        return Feed(
            self._recipe,
            self.data,
            self.framing,
            self._targets,
            self.teacher,
            self.processes,
            self._options.workers,
        )

    def _restore(self, saved: dict[str, Any]) -> None:
        self.student.load_state_dict(saved["student"])
        self.average.student.load_state_dict(saved["average"])
        restore_optimiser(self.worker.optimiser, saved["optimiser"])
        self.worker.restore_scaling(saved["scaling"])
        self.worker.share_statistics()

    def _landmark_targets(self, saved: dict[str, Any]) -> GeometryTargets | None:
        if not self._recipe.auxiliary.get("landmarks"):
            return None
        if saved:
            return GeometryTargets(**{key: value.numpy() for key, value in saved["targets"].items()})
        points = self.data.points()
        if points is None:
            raise UsageError(
                f"{self._recipe.data.set} has no landmarks to learn; leave them out of [auxiliary]"
            )
        return GeometryTargets.fit(points, self.framing.canvas)

    def _student(self, *, resumed: bool) -> Student:
        recipe = self._recipe
        network = self._network(resumed=resumed)
        _check_sizes(network, recipe, self.framing)
        if recipe.replicas > 1 and self.processes.world > 1:
            raise UsageError("replicas > 1 train in one process; set replicas = 1")
        if recipe.replicas > 1 and _draws(network):
            # Replicas draw from one generator in no fixed order: a resumed run would not be the same run.
            raise UsageError(
                "replicas > 1 needs a network that draws nothing at random: set dropout and drop_path, where it has them, to 0 in "
                "[options], or replicas = 1"
            )
        tap = (recipe.tap["module"], recipe.tap["channels"]) if recipe.tap else None
        coordinates = None
        if any(recipe.auxiliary.values()):
            coordinates = 0 if self._targets is None else self._targets.mean.size
        student = Student(network, len(self.data.labels), coordinates, tap)
        if self._options.svm:
            check_features(student)
        moved: Student = student.to(self.processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return moved.train()

    def _network(self, *, resumed: bool) -> nn.Module:
        """With its first weights; notes what they were."""
        network = build_network(self._recipe.network, self.data.labels, **self._recipe.options)
        if self._recipe.from_scratch:
            start_residuals_at_identity(network)
        if resumed:
            return network
        set_mean_image(network, self.data.train, self.framing.view)
        if self._options.pretrained is not None:
            path = Path(str(self._options.pretrained).replace(FOLD, self.data.fold))
            self.start, report = start_from(network, self._recipe, self.data.labels, path)
            if self.processes.first:
                print(report, file=sys.stderr)
        return network


def _check_sizes(network: nn.Module, recipe: Recipe, framing: Framing) -> None:
    """Raises UsageError where a stage has pictures of a size that the network does not take."""
    size = framing.input.size[0]
    for stage in recipe.stages:
        if not isinstance(network, MRPNet) and stage.pixels not in (0, size):
            raise UsageError(
                f"stage {stage.name!r}: {recipe.network} takes pictures of {size} pixels, not {stage.pixels}; leave pixels out"
            )


def _draws(network: nn.Module) -> bool:
    """Tell whether a network draws random numbers in training."""
    return any(
        (isinstance(module, nn.Dropout) and module.p > 0)
        or (isinstance(module, DropPath) and (module.drop_prob or 0) > 0)
        for module in network.modules()
    )
