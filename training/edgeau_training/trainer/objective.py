"""Objective of a step: the occurrence loss of the whole batch, and what auxiliary heads are asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.datasets.mirroring import mirrored_columns
from edgeau_training.losses import build_loss
from edgeau_training.losses.agreement import disagreement
from edgeau_training.losses.imitation import distance_from_teacher
from edgeau_training.trainer.batches import Batch
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.student import Answers

__all__ = ["OF_THE_LOSS", "Objective", "seed_step"]

OF_THE_LOSS = 1 << 20  # in place of a process's number: a draw of the loss is the same in all processes


def seed_step(seed: int, step: int, part: int, stream: int) -> None:
    """Seeds torch's generators.

    Everything random in a step comes from its number, so that a resumed run needs no generator's state.

    Args:
        seed: seed of the run.
        step: step of the optimiser.
        part: part of the batch.
        stream: the process, or :data:`OF_THE_LOSS`.
    """
    words = np.random.SeedSequence((seed, step, part, stream)).generate_state(1)
    torch.manual_seed(int(words[0]))


class Objective:
    """The losses of a recipe.

    Args:
        recipe: names loss and auxiliary weights.
        processes: those that share a batch.

    Raises:
        UsageError: the loss is not known, or an option does not fit.
    """

    def __init__(self, recipe: Recipe, processes: ProcessGroup) -> None:
        options = dict(recipe.loss)
        self._loss = build_loss(options.pop("name"), **options)
        self._recipe, self._processes = recipe, processes
        self._compared: tuple[Tensor, Tensor] | None = (
            None  # columns of the first view, and those of the second
        )

    def fit(self, data: LabelledCrops) -> None:
        """Takes the counts of the training side.

        Raises:
            UsageError: views are compared, pictures may be mirrored, and the labels have one side of a pair only.
        """
        known, present = data.mask > 0, data.occurrence > 0
        counts = ((known & side).sum(axis=0, dtype=np.int64) for side in (present, ~present))
        positives, negatives = (torch.from_numpy(count).to(self._processes.device) for count in counts)
        self._loss.fit(positives, negatives)
        if self._recipe.agreement:
            second = np.arange(len(data.labels))
            if self._recipe.augmentation.flip:  # one of the views is mirrored
                second = mirrored_columns(data.labels)
            # An AU that no face has a label of has answers that nothing holds: they could grow until they alone were compared.
            coded = known.any(axis=0)
            first = np.flatnonzero(coded & coded[second])
            self._compared = torch.from_numpy(first), torch.from_numpy(second[first])

    def criterion(
        self, batch: Batch, step: int, part: int, figures: dict[str, Tensor]
    ) -> Callable[[Answers], Tensor]:
        """The loss of one part of a batch, over the number of parts.

        Args:
            batch: this process's share.
            step: step of the optimiser.
            part: part of the batch.
            figures: what each loss was is added to it.
        """
        weights, count = self._recipe.auxiliary, self._recipe.accumulate

        def note(name: str, value: Tensor) -> Tensor:
            figures[name] = figures.get(name, torch.zeros_like(value)) + value.detach() / count
            return value

        def criterion(answers: Answers) -> Tensor:
            seed_step(self._recipe.seed, step, part, OF_THE_LOSS)
            # Processes average their gradients, and each has only its share of this one.
            total = self._processes.world * note("occurrence", self._occurrence(answers, batch))
            if answers.intensity is not None and batch.intensity is not None:
                total = total + weights["intensity"] * note("intensity", _intensity(answers.intensity, batch))
            if answers.points is not None and batch.points is not None:
                points = functional.smooth_l1_loss(answers.points, batch.points.expand_as(answers.points))
                total = total + weights["landmarks"] * note("landmarks", points)
            if self._recipe.agreement:
                apart = note("disagreement", self._disagreement(answers))
                total = total + self._processes.world * self._recipe.agreement * apart
            if self._recipe.imitation:
                apart = note("imitation", self._imitation(answers, batch))
                total = total + self._processes.world * self._recipe.imitation * apart
            return total / count

        return criterion

    def _occurrence(self, answers: Answers, batch: Batch) -> Tensor:
        """Compute the loss of the whole batch, the same in all processes."""
        whole = (self._processes.whole(share) for share in (answers.logits, batch.occurrence, batch.mask))
        return self._loss(*whole)

    def _imitation(self, answers: Answers, batch: Batch) -> Tensor:
        """Compare the whole batch with the teacher, the same in all processes."""
        assert batch.teacher is not None, "a teacher was not given"
        return distance_from_teacher(*(self._processes.whole(one) for one in (answers.logits, batch.teacher)))

    def _disagreement(self, answers: Answers) -> Tensor:
        """Compare both views of the whole batch, the same in all processes."""
        assert self._compared is not None, "fit was not called"
        first, second = (self._processes.whole(view) for view in answers.logits.chunk(2))
        columns, mirrored = (one.to(first.device) for one in self._compared)
        return disagreement(first[:, columns], second[:, mirrored])


def _intensity(answers: Tensor, batch: Batch) -> Tensor:
    """Squared error, summed over AUs, mean over faces and heads, each of which is asked the same."""
    assert batch.intensity is not None
    error = (answers - batch.intensity) * batch.mask
    return error.square().sum() / (len(answers) * len(batch))
