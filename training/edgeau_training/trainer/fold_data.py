"""One division of a data set of people as training data: read, aligned once, split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.datasets import open_data_set
from edgeau_training.datasets.crops import FileCrops, LabelledCrops
from edgeau_training.datasets.label_codes import check_classes
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.datasets.point_table import PointTable, read_points
from edgeau_training.datasets.preparation import prepare
from edgeau_training.folds.fold import validation_cut
from edgeau_training.trainer.framing import Framing
from edgeau_training.trainer.recipe import DataOptions

__all__ = ["FoldData", "fold_names_of"]

_HIGHEST_INTENSITY = 5  # E, the strongest of the Facial Action Coding System


class FoldData:
    """See :class:`~edgeau_training.trainer.training_data.TrainingData`.

    Args:
        options: options of the recipe.
        root: the data set's folder.
        labels: AUs to train; none for those that the data set codes.
        crops: folder for aligned crops.
        framing: framing of the network.
        fold: division; "" for the recipe's, or the data set's first.
        first: context in which the first process prepares crops before the others.

    Raises:
        UserError: whatever is wrong with the data, with file and row.
    """

    def __init__(
        self,
        options: DataOptions,
        root: Path,
        labels: Sequence[str],
        crops: Path,
        framing: Framing,
        fold: str = "",
        first: Callable[[], Any] | None = None,
    ) -> None:
        reader = open_data_set(options.set, root, **options.options)
        self.fold = fold or options.fold or reader.folds[0]
        _check_fold(options.set, self.fold, reader.folds)
        frames = reader.read()
        if labels:
            frames = frames.with_labels(labels).known_rows()
        division = reader.fold(frames, self.fold)
        sides = {"test": division.test}
        if division.validation is not None:
            if options.validation:
                raise UsageError(
                    f"fold {self.fold} of {options.set} has a validation side of its own; leave out validation under [data]"
                )
            sides["validation"] = division.validation
        elif options.validation:
            division = validation_cut(frames, division, options.validation)
            sides["validation"] = division.test
        sides["train"] = division.train
        points = _points(options, Path(root), frames)
        with (first or nullcontext)():
            # After the division, which knows the frames by what they were called.
            made = {
                side: prepare(frames.select(rows), crops, framing.aligner, options.without_face, points)
                for side, rows in sides.items()
            }
        check_classes(made["train"], f"training side of fold {self.fold} of {frames.name}")
        self.labels = frames.labels
        self._frames = made["train"]
        self.train: LabelledCrops = FileCrops(self._frames)
        self.test: LabelledCrops | None = FileCrops(made["test"])
        self.validation: LabelledCrops | None = (
            FileCrops(made["validation"]) if "validation" in made else None
        )
        self.parts = [self.fold]
        self.digest = frames.digest
        self.division = _division(frames, sides)
        self._files = [
            side for side in (self.train, self.test, self.validation) if isinstance(side, FileCrops)
        ]

    @property
    def problems(self) -> tuple[str, ...]:
        """Rows of the table and pictures that were left out so far."""
        return tuple(dict.fromkeys(line for side in self._files for line in side.problems))

    def grow(self) -> bool:
        """Never: labels are read once."""
        return False

    def intensity(self) -> NDArray[np.float32] | None:
        """Intensity where the data set codes it, as a share of the highest."""
        raw = self._frames.intensity
        return None if raw is None else np.asarray(raw / _HIGHEST_INTENSITY, np.float32)

    def points(self) -> None:
        """Landmarks are not kept with the crops."""


def _division(frames: LabelledFrames, sides: Mapping[str, NDArray[np.int64]]) -> str:
    """SHA-256 of the rows of each side with their clips, people and intensities, after the name of the method.

    Clips and people count by who shares one, whatever they are called.
    """
    content = hashlib.sha256()
    for side in sorted(sides):
        rows = sides[side]
        content.update(f"{side} {len(rows)}\n".encode())
        content.update(np.asarray(rows, "<i8").tobytes())
        for names in (frames.clip[rows], frames.group[rows]):
            _, first, place = np.unique(names, return_index=True, return_inverse=True)
            content.update(np.asarray(first[place], "<i8").tobytes())
        if frames.intensity is not None:
            content.update(np.asarray(frames.intensity[rows], "<f4").tobytes())
    return "sha256:" + content.hexdigest()


def _points(options: DataOptions, root: Path, frames: LabelledFrames) -> PointTable | None:
    """The recipe's table of points; its paths start in the data set's folder, which may be named by a table in it."""
    if not options.points:
        return None
    folder = root if root.is_dir() else root.parent
    points = read_points(folder / options.points, folder)
    points.check(frames)
    return points


def fold_names_of(options: DataOptions, root: Path) -> tuple[str, ...]:
    """The divisions of a cross-validation: the recipe's, or all that the data set has.

    Raises:
        UserError: the data set cannot be opened, or a division is not known.
    """
    known = open_data_set(options.set, root, **options.options).folds
    for name in options.folds:
        _check_fold(options.set, name, known)
    return options.folds or known


def _check_fold(data_set: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UsageError(f"{data_set} has no fold {name!r}; it has {', '.join(known)}")
