"""A folder of pictures and one table: the plain way to bring data of one's own.

What the table holds and how it is read: :mod:`edgeau.action_units.labelled_pictures`. Without the column ``person`` a clip, and
without that a picture, counts as a person of its own.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from edgeau.action_units.labelled_pictures import (
    UNKNOWN,
    LabelledPictures,
    label_table,
    labelled_pictures,
    read_labelled_pictures,
)
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.spreadsheets import read_table
from edgeau_training.folds.fold import Fold
from edgeau_training.folds.grouped import fold_names, shuffled_fold

__all__ = ["ERROR", "SKIP", "MissingPicturesWarning", "PictureTable", "check_choice", "note_left_out"]

ERROR = "error"  # stop: the copy is incomplete, or the list belongs to other pictures
SKIP = "skip"  # go on without it, and say how many there were


class MissingPicturesWarning(UserWarning):
    """Labels were left out because their pictures are not there."""


def check_choice(choice: str) -> str:
    """The choice itself, when it is one.

    Raises:
        UsageError: it is neither ``error`` nor ``skip``.
    """
    if choice not in (ERROR, SKIP):
        raise UsageError(
            f"missing={choice!r} is not known; missing pictures are an {ERROR}, or {SKIP} leaves them out"
        )
    return choice


def note_left_out(name: str, folder: Path, count: int) -> None:
    """Says how many labels were left out; silent when none were."""
    if count:
        warnings.warn(
            f"{name}: {count} labelled frames have no picture in {folder} and were left out",
            MissingPicturesWarning,
            stacklevel=3,
        )


class PictureTable:
    """Reads a folder of pictures with a table of labels.

    Folds: ``split`` trains on ``train``, fits thresholds on ``val`` and tests on ``test`` (or on ``val`` where no row says
    ``test``), when the table has that column; ``1`` to ``count`` are shuffled persons.

    Args:
        root: folder of the pictures, or the table itself.
        table: the CSV or spreadsheet, relative to ``root``; "" for ``labels.csv``, or the folder's only CSV.
        aligned: the pictures are aligned square crops already.
        count: number of folds over shuffled persons.
        seed: seed of the shuffle.
    """

    def __init__(
        self, root: Path, table: str = "", *, aligned: bool = False, count: int = 5, seed: int = 0
    ) -> None:
        if count < 2:
            raise UsageError(f"a table of pictures needs 2 or more folds, got {count}")
        self._aligned, self._seed, self._count = aligned, seed, count
        self._pictures = _read(Path(root), table)
        self.labels = self._pictures.labels
        self.folds = (*(("split",) if self._pictures.split else ()), *fold_names(count))

    def read(self) -> LabelledFrames:
        """All rows that can be used and in which at least one label is known.

        Raises:
            InputError: no row is left.
        """
        found = self._pictures
        clip, clip_names = numbered(found.clip or found.pictures)
        group, group_names = numbered(found.person or found.clip or found.pictures)
        mask = (found.truth != UNKNOWN).astype(np.int8)
        frames = LabelledFrames(
            name=found.table.name,
            root=found.table.parent,
            labels=found.labels,
            pictures=found.pictures,
            occurrence=(found.truth == 1).astype(np.int8),
            mask=mask,
            clip=clip,
            clip_names=clip_names,
            group=group,
            group_names=group_names,
            aligned=self._aligned,
            problems=found.problems,
            rows=np.array(found.numbers, np.int64),
        )
        # A stable order by clip, in case the table's rows are mixed.
        return frames.select(np.argsort(clip, kind="stable")).known_rows()

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`.

        Raises:
            InputError: a side is empty, or a person stands on both sides.
        """
        if name != "split":
            return shuffled_fold(frames, name, self._count, self._seed)
        table = self._pictures.table
        split_of = dict(zip(self._pictures.pictures, self._pictures.split or (), strict=True))
        split = np.array([split_of[picture] for picture in frames.pictures])
        train, validation, test = (np.flatnonzero(split == side) for side in ("train", "val", "test"))
        if not len(test):
            test, validation = validation, test
        if not len(train) or not len(test):
            raise InputError(f"{table}: the column split needs rows with train, and rows with val or test")
        for one, other in ((train, test), (train, validation), (validation, test)):
            shared = np.intersect1d(frames.group[one], frames.group[other])
            if len(shared):
                raise InputError(
                    f"{table}: person {frames.group_names[shared[0]]} is in {split[one[0]]} and in {split[other[0]]} of the column "
                    "split; nobody may be in two of its parts"
                )
        return Fold(name, train, test, validation if len(validation) else None)


def _read(root: Path, table: str) -> LabelledPictures:
    path = root / table if table else label_table(root)
    if path is None:
        raise InputError(
            f"{root} {'holds no labels.csv' if root.is_dir() else 'does not exist'}; name a folder with a table of its pictures, "
            "or the table (columns picture, person, clip, split, AU1, ...)"
        )
    if path.suffix.lower() == ".csv":
        return read_labelled_pictures(path)
    header, rows = read_table(path)
    return labelled_pictures(path, header, rows)
