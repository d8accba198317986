"""The batches of a stage: what the sampler draws, cut and shared among processes and parts."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from edgeau.errors import UsageError
from edgeau_training.sampling import Sampler, build_sampler
from edgeau_training.sampling.cursor import Cursor
from edgeau_training.trainer.batches import Batch, Batches
from edgeau_training.trainer.framing import Framing
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.prefetching import prefetch
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.stage import Stage
from edgeau_training.trainer.teacher import Teacher
from edgeau_training.trainer.training_data import TrainingData

__all__ = ["Feed"]


class Feed:
    """Makes the batches of a training side as it is now.

    Args:
        recipe: names sampler, augmentation and auxiliary targets.
        data: whose training side is drawn from.
        framing: framing of the network.
        targets: targets of the landmarks, or None.
        teacher: answers that are imitated, or None.
        processes: those that share a batch.
        workers: threads that make the pictures of a batch.

    Raises:
        UsageError: the sampler is not known, or the data lacks what auxiliary heads are to be asked.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        framing: Framing,
        targets: GeometryTargets | None,
        teacher: Teacher | None,
        processes: ProcessGroup,
        workers: int,
    ) -> None:
        self._recipe, self._framing, self._processes = recipe, framing, processes
        intensity = data.intensity() if recipe.auxiliary.get("intensity") else None
        if intensity is None and recipe.auxiliary.get("intensity"):
            raise UsageError(f"{recipe.data.set} codes no intensities; leave them out of [auxiliary]")
        points = None if targets is None else data.points()
        twice = recipe.agreement > 0
        imitated = None if teacher is None else teacher.logits
        self._batches = Batches(data.train, recipe.seed, intensity, points, targets, workers, twice, imitated)
        options = dict(recipe.sampler)
        self._sampler: Sampler = build_sampler(options.pop("name"), data.train, recipe.seed, **options)

    def epoch(self, stage: Stage, number: int, taken: int) -> tuple[int, Generator[Batch, None, None]]:
        """Return what is left of an epoch.

        Args:
            stage: says how faces are cut, and how many a batch takes.
            number: number of the epoch.
            taken: faces of it that were used already.

        Returns:
            How many faces the epoch has in whole batches, and this process's share of each part of each batch, in turns:
            to be closed by who does not take them all.

        Raises:
            UsageError: a batch cannot be shared evenly.
        """
        cursor = Cursor(self._sampler, stage.batch)
        cursor.restore({"epoch": number, "position": taken})
        return cursor.batches * stage.batch, prefetch(self._shares(stage, cursor, number, taken))

    def close(self) -> None:
        """Ends the threads that make pictures."""
        self._batches.close()

    def _shares(self, stage: Stage, cursor: Cursor, number: int, taken: int) -> Iterator[Batch]:
        each, share = self._sizes(stage)
        view = self._framing.view_of(stage.pixels, stage.field)
        augmentation = self._recipe.augmentation.scale(stage.augmentation)
        for draw in cursor.epoch():
            for part in range(self._recipe.accumulate):
                first = part * each + self._processes.rank * share
                mine = slice(first, first + share)
                yield from self._batches.epoch([draw], view, augmentation, number, taken, mine)
            taken += len(draw)

    def _sizes(self, stage: Stage) -> tuple[int, int]:
        """Faces of a part, and of this process's share of it."""
        each = stage.batch // self._recipe.accumulate
        share, rest = divmod(each, self._processes.world)
        if rest or share < 2:
            raise UsageError(
                f"stage {stage.name!r}: batch {stage.batch} in {self._recipe.accumulate} parts cannot be shared by "
                f"{self._processes.world} processes, 2 faces or more each; change the batch"
            )
        return each, share
