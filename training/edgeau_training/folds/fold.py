"""One division of a data set into a training and a test side that share nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["FOLDS", "Fold", "fold_of_groups", "part_fold", "validation_cut"]


@dataclass(frozen=True)
class Fold:
    """Rows of a data set, ascending.

    Attributes:
        name: name of the fold, such as ``1``.
        train: int64 rows that are trained on.
        test: int64 rows that are tested on, or held out.
        validation: int64 rows that thresholds are fitted on, where the division has a third side of its own.
    """

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    validation: NDArray[np.int64] | None = None


def fold_of_groups(frames: LabelledFrames, name: str, test: Iterable[str]) -> Fold:
    """The fold whose test side are these groups and whose training side are all others.

    Raises:
        InputError: one of the sides is empty.
    """
    places = [place for place, group in enumerate(frames.group_names) if group in set(test)]
    tested = np.isin(frames.group, places)
    if tested.all() or not tested.any():
        side = "train" if tested.all() else "test"
        raise InputError(
            f"fold {name} of {frames.name} has no frame to {side} on; the subjects there are too few"
        )
    return Fold(name, np.flatnonzero(~tested), np.flatnonzero(tested))


def validation_cut(frames: LabelledFrames, fold: Fold, share: float = 0.1, seed: int = 0) -> Fold:
    """The fold's training side, cut again so that an epoch can be chosen without looking at the test side.

    Whole groups are drawn until they hold ``share`` of the training rows. ``test`` of the result is the validation side.

    Raises:
        InputError: the training side has fewer than two groups.
    """
    groups, sizes = np.unique(frames.group[fold.train], return_counts=True)
    if len(groups) < 2:
        raise InputError(
            f"fold {fold.name} of {frames.name} trains on one subject; nothing can be cut off to validate"
        )
    order = np.random.default_rng(seed).permutation(len(groups))
    before = np.cumsum(sizes[order]) - sizes[order]
    drawn = order[before < share * len(fold.train)][: len(groups) - 1]
    held = np.isin(frames.group[fold.train], groups[drawn])
    return Fold(f"{fold.name}-validation", fold.train[~held], fold.train[held])


FOLDS = ("1", "2", "3")


def part_fold(frames: LabelledFrames, name: str, parts: Sequence[Sequence[str]]) -> Fold:
    """Fold ``1``, ``2`` or ``3`` of a data set whose groups are subjects.

    Published three-fold protocols have three parts of subjects; each fold tests one and trains on the others. The numbering
    is that of ME-GraphAU's released lists: fold 1 tests part 3, fold 2 part 2, fold 3 part 1.

    Raises:
        InputError: only a part of the subjects is there, and one side of the fold is empty.
    """
    return fold_of_groups(frames, name, parts[len(FOLDS) - int(name)])
