"""A folder of pictures and one CSV: the plain way to bring data of one's own.

Columns: ``picture`` (a path relative to the folder); one per AU, named ``AU1`` or ``AU01``, holding 1, 0, or nothing
(also -1, 9 or 999) where nobody judged; and, where known, ``person`` (never on both sides of a fold), ``clip`` (frames of
one video, in the order of the rows), ``split`` (``train``, ``val`` or ``test``) and ``neutral``, which only evaluation reads.
``edgeau-evaluate`` reads the same table. Without ``person`` a clip, and without that a picture, counts as a person of its own.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import labels as au_labels
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets import label_codes
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.number_rows import whole_numbers
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


_AU = re.compile(r"AU0*([1-9]\d*)")
_SPLITS = ("train", "val", "test")
_COLUMNS = ("picture", "person", "clip", "split", "neutral")


class PictureTable:
    """Reads a folder of pictures with a table of labels.

    Folds: ``split`` trains on ``train`` and tests on ``test`` (or ``val`` where no row says ``test``), when the table has
    that column; ``1`` to ``count`` are shuffled persons.

    Args:
        root: folder of the pictures.
        table: the CSV or spreadsheet, relative to ``root``.
        aligned: the pictures are aligned square crops already.
        missing: ``error`` when a row's picture is not there, or ``skip`` it.
        count: number of folds over shuffled persons.
        seed: of the shuffle.
    """

    def __init__(
        self,
        root: Path,
        table: str = "labels.csv",
        *,
        aligned: bool = False,
        missing: str = ERROR,
        count: int = 5,
        seed: int = 0,
    ) -> None:
        if count < 2:
            raise UsageError(f"{table} needs 2 or more folds, got {count}")
        self._root, self._path = Path(root), Path(root) / table
        self._aligned, self._missing, self._seed, self._count = aligned, check_choice(missing), seed, count
        header, self._rows = read_table(self._path)
        self._columns = {name: place for place, name in enumerate(header)}
        self._aus = _au_columns(header, self._path)
        if "picture" not in self._columns or not self._aus:
            raise InputError(
                f"{self._path}, row 1: expected a column picture and columns AU1, AU2, ...; got {', '.join(header)}"
            )
        self.labels = au_labels(self._aus)
        self.folds = (*(("split",) if "split" in self._columns else ()), *fold_names(count))

    def read(self) -> LabelledFrames:
        """All rows whose picture is there and in which at least one AU is known.

        Raises:
            InputError: a cell is damaged or a picture missing; the message names the row.
        """
        pictures = self._cells("picture")
        present = np.array([bool(picture) and (self._root / picture).is_file() for picture in pictures], bool)
        if self._missing == ERROR and not present.all():
            row = int(np.argmin(present))
            raise InputError(
                f"{self._path}, row {row + 2}: there is no picture {self._root / pictures[row]}; "
                "fix the row, or pass missing=skip"
            )
        occurrence, mask = label_codes.TABLE.decode(self._codes(), self._where)
        group, group_names = numbered(self._persons(pictures))
        clip, clip_names = numbered(self._cells("clip") if "clip" in self._columns else pictures)
        note_left_out(self._path.name, self._root, int((~present).sum()))
        frames = LabelledFrames(
            name=self._path.name,
            root=self._root,
            labels=self.labels,
            pictures=tuple(pictures),
            occurrence=occurrence,
            mask=mask,
            clip=clip,
            clip_names=clip_names,
            group=group,
            group_names=group_names,
            aligned=self._aligned,
        )
        # A stable order by clip, in case the table's rows are mixed.
        order = np.argsort(clip, kind="stable")
        return frames.select(order[present[order]]).known_rows()

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`.

        Raises:
            InputError: a row's split is not known, a side is empty, or a person stands on both sides.
        """
        if name != "split":
            return shuffled_fold(frames, name, self._count, self._seed)
        split_of = dict(zip(self._cells("picture"), self._splits(), strict=True))
        split = np.array([split_of[picture] for picture in frames.pictures])
        test = np.flatnonzero(split == ("test" if (split == "test").any() else "val"))
        train = np.flatnonzero(split == "train")
        if not len(train) or not len(test):
            raise InputError(
                f"{self._path}: the column split needs rows with train, and rows with val or test"
            )
        shared = np.intersect1d(frames.group[train], frames.group[test])
        if len(shared):
            raise InputError(
                f"{self._path}: person {frames.group_names[shared[0]]} stands on both sides of the column split"
            )
        return Fold(name, train, test)

    def _persons(self, pictures: list[str]) -> list[str]:
        """Who each row shows, or what stands for it."""
        if "person" not in self._columns:
            return self._cells("clip") if "clip" in self._columns else pictures
        persons = self._cells("person")
        if "" in persons:
            raise InputError(
                f"{self._path}, row {persons.index('') + 2}: the column person is empty; name everybody, "
                "or nobody can say that the same face is not on both sides of a fold"
            )
        return persons

    def _cells(self, column: str) -> list[str]:
        return [row[self._columns[column]] for row in self._rows]

    def _splits(self) -> list[str]:
        splits = self._cells("split")
        for row, split in enumerate(splits, start=2):
            if split not in _SPLITS:
                raise InputError(
                    f"{self._path}, row {row}: split {split!r} is not known; known: {', '.join(_SPLITS)}"
                )
        return splits

    def _codes(self) -> NDArray[np.int64]:
        places = [self._aus[number] for number in sorted(self._aus)]
        cells = [[row[place] or "-1" for place in places] for row in self._rows]
        return whole_numbers(cells, self._where, label_codes.TABLE)

    def _where(self, row: int, column: int) -> str:
        return f"{self._path}, row {row + 2}, {self.labels[column]}"


def _au_columns(header: list[str], path: Path) -> dict[int, int]:
    """AU number to place; any other column must be known, since a misspelt ``person`` would mix people over folds.

    Raises:
        InputError: a column is not known, or an AU or a column stands there twice.
    """
    found: dict[int, int] = {}
    for place, name in enumerate(header):
        match = _AU.fullmatch(name)
        if match is None:
            # A table without these is told so by whoever needs them; free words are not this table's labels.
            if name not in _COLUMNS and "picture" in header and any(map(_AU.fullmatch, header)):
                raise InputError(
                    f"{path}, row 1: column {name!r} is not known; known are {', '.join(_COLUMNS)} and AU1, AU2, ...; "
                    "people are told apart by the column person"
                )
            if header.index(name) != place:
                raise InputError(f"{path}, row 1: the column {name} stands there twice")
            continue
        if int(match[1]) in found:
            raise InputError(f"{path}, row 1: AU{match[1]} stands there twice")
        found[int(match[1])] = place
    return found
