"""Published three-fold protocols: three parts of subjects, each fold tests one and trains on the others.

The numbering is that of ME-GraphAU's released lists: fold 1 tests part 3, fold 2 part 2, fold 3 part 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold, fold_of_groups

__all__ = ["FOLDS", "part_fold"]

FOLDS = ("1", "2", "3")


def part_fold(frames: LabelledFrames, name: str, parts: Sequence[Sequence[str]]) -> Fold:
    """Fold ``1``, ``2`` or ``3`` of a data set whose groups are subjects.

    Raises:
        InputError: only a part of the subjects is there, and one side of the fold is empty.
    """
    return fold_of_groups(frames, name, parts[len(FOLDS) - int(name)])
