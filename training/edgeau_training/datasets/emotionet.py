"""EmotioNet (ENC-2020): faces from the web, 23 AUs, 24,600 expert-labelled pictures and some 950,000 noisy ones.

Labels come as in :mod:`edgeau_training.datasets.emotionet_tables`; pictures are downloaded by URL and stand anywhere
under one folder, found by their names. Many links are dead. There are no subjects: a picture is its own group, and
repeated pictures are read once, so that duplicates never stand on both sides of a fold.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeau.action_units.names import labels as au_labels
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets.emotionet_tables import LabelRows, read_label_rows
from edgeau_training.datasets.label_codes import check_label_rates
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.datasets.picture_folders import pictures_by_name
from edgeau_training.datasets.picture_table import ERROR, SKIP, check_choice, note_left_out
from edgeau_training.folds.fold import Fold
from edgeau_training.folds.grouped import fold_names, shuffled_fold

__all__ = ["LABELS", "RATES", "EmotioNet"]

LABELS = au_labels((1, 2, 4, 5, 6, 9, 10, 12, 15, 17, 18, 20, 24, 25, 26, 28, 43, 51, 52, 53, 54, 55, 56))
# Positives among the 22,592 rows of SIAT's training list; rates count unknown entries among the rows.
_POSITIVES = (
    *(1299, 636, 2643, 770, 4087, 460, 14330, 6989, 4087, 466, 3398, 124),
    *(9911, 10601, 1840, 1127, 589, 3965, 3903, 2702, 1756, 1400, 1471),
)
RATES = {label: count / 22592 for label, count in zip(LABELS, _POSITIVES, strict=True)}


class EmotioNet:
    """Reads EmotioNet.

    Args:
        root: the data set's folder.
        coding: relative to ``root``: the expert spreadsheet (or its CSV export), a flat list, or the folder of the noisy
            ``dataFile_*.txt``.
        pictures: folder of the pictures, relative to ``root``.
        missing: ``skip`` labels without a picture, or take them for an ``error``. By default a flat list must have all
            its pictures, while spreadsheet and noisy files, whose links die, need not.
        count: number of folds.
        seed: seed of the shuffle behind the folds.
    """

    labels = LABELS

    def __init__(
        self,
        root: Path,
        coding: str = "emotionet_facs_24600.xlsx",
        pictures: str = "img",
        missing: str | None = None,
        count: int = 5,
        seed: int = 0,
    ) -> None:
        if count < 2:
            raise UsageError(f"EmotioNet needs 2 or more folds, got {count}")
        self.folds = fold_names(count)
        self._coding, self._pictures = Path(root) / coding, Path(root) / pictures
        self._missing = None if missing is None else check_choice(missing)
        self._seed = seed

    def read(self) -> LabelledFrames:
        """All distinct labelled pictures that are there; of a repeated picture the first row counts.

        Raises:
            InputError: a file is missing or damaged; the message names it and its row.
        """
        tables = read_label_rows(self._coding, LABELS)
        expert = not self._coding.is_dir()
        found = pictures_by_name(self._pictures)
        names = [name for table in tables for name in table.names]
        self._check_pictures(tables, found)
        first = {name: row for row, name in reversed(list(enumerate(names)))}
        rows = np.array(
            [row for row, name in enumerate(names) if name in found and first[name] == row], np.int64
        )
        note_left_out("EmotioNet", self._pictures, len(first) - len(rows))
        pictures = tuple(found[names[row]] for row in rows)
        single = np.arange(len(rows), dtype=np.int32)
        frames = LabelledFrames(
            name="EmotioNet",
            root=self._pictures,
            labels=LABELS,
            pictures=pictures,
            occurrence=np.concatenate([table.occurrence for table in tables])[rows],
            mask=np.concatenate([table.mask for table in tables])[rows],
            clip=single,
            clip_names=pictures,
            group=single,
            group_names=pictures,
            aligned=False,
        ).known_rows()
        if expert:
            check_label_rates(frames, RATES, of_all=True)
        return frames

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`; ``test`` is the held-out part."""
        return shuffled_fold(frames, name, len(self.folds), self._seed)

    def _check_pictures(self, tables: list[LabelRows], found: dict[str, str]) -> None:
        for table in tables:
            if (self._missing or (SKIP if table.linked else ERROR)) == SKIP:
                continue
            for row, name in enumerate(table.names, start=table.first):
                if name not in found:
                    raise InputError(
                        f"{table.path}, row {row}: there is no picture {name} under {self._pictures}; "
                        "give the folder of these pictures, or pass missing=skip"
                    )
