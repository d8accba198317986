"""BP4D: 41 subjects, 8 tasks each, AU occurrence of the most expressive stretch of every sequence.

On disk: ``<pictures>/<subject>/<task>/<frame>.jpg``, its numbers padded to a width that differs between sequences, and
``AUCoding/AU_OCC/<subject>_<task>.csv``: a header of AU numbers after a 0, then a frame number, unpadded, and 0, 1 or 9
(not coded) per AU.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.names import BP4D as LABELS
from edgeau.action_units.names import au_number
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets import label_codes
from edgeau_training.datasets.label_codes import check_label_rates
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.datasets.number_rows import read_number_rows
from edgeau_training.datasets.picture_folders import numbered_pictures
from edgeau_training.datasets.picture_table import ERROR, check_choice, note_left_out
from edgeau_training.folds.fold import FOLDS, Fold, part_fold

__all__ = ["BP4D", "PARTS", "RATES", "TASKS"]

TASKS = tuple(f"T{number}" for number in range(1, 9))
# The subject-exclusive parts of JAA-Net, LP-Net, ME-GraphAU and others.
PARTS = (
    (
        "F001",
        "M007",
        "F018",
        "F008",
        "F002",
        "M004",
        "F010",
        "F009",
        "M012",
        "M001",
        "F016",
        "M014",
        "F023",
        "M008",
    ),
    (
        "M011",
        "F003",
        "M010",
        "M002",
        "F005",
        "F022",
        "M018",
        "M017",
        "F013",
        "M016",
        "F020",
        "F011",
        "M013",
        "M005",
    ),
    ("F007", "F015", "F006", "F019", "M006", "M009", "F012", "M003", "F004", "F021", "F017", "M015", "F014"),
)
# Positives per frame of one published training partition (EAC-Net's released code).
RATES = dict(
    zip(
        LABELS,
        (0.243, 0.184, 0.231, 0.445, 0.529, 0.585, 0.573, 0.434, 0.155, 0.364, 0.191, 0.161),
        strict=True,
    )
)


class BP4D:
    """Reads BP4D.

    Args:
        root: the data set's folder.
        pictures: folder of the pictures, relative to ``root``.
        coding: folder of the occurrence files, relative to ``root``.
        subjects: to read; all 41 of the release by default.
        missing: ``error`` when a coded frame has no picture, or ``skip`` it.
    """

    labels = LABELS
    folds = FOLDS

    def __init__(
        self,
        root: Path,
        pictures: str = ".",
        coding: str = "AUCoding/AU_OCC",
        subjects: Sequence[str] | None = None,
        missing: str = ERROR,
    ) -> None:
        self._pictures, self._coding = Path(root) / pictures, Path(root) / coding
        everyone = [subject for part in PARTS for subject in part]
        unknown = sorted(set(subjects or ()) - set(everyone))
        if unknown:
            raise UsageError(f"BP4D has no subject {' '.join(unknown)}; it has F001-F023 and M001-M018")
        self._subjects = [subject for subject in everyone if subjects is None or subject in subjects]
        self._missing = check_choice(missing)

    def read(self) -> LabelledFrames:
        """All coded frames, subject by subject in the order of the parts.

        Raises:
            InputError: a file is missing or damaged; the message names it and its row.
        """
        clips = [(subject, task) for subject in self._subjects for task in TASKS]
        parts = [self._read_clip(subject, task) for subject, task in clips]
        counts = [len(part[0]) for part in parts]
        note_left_out("BP4D", self._pictures, sum(part[3] for part in parts))
        clip, clip_names = numbered(
            [f"{s}_{t}" for (s, t), n in zip(clips, counts, strict=True) for _ in range(n)]
        )
        group, group_names = numbered([s for (s, _), n in zip(clips, counts, strict=True) for _ in range(n)])
        frames = LabelledFrames(
            name="BP4D",
            root=self._pictures,
            labels=LABELS,
            pictures=tuple(picture for part in parts for picture in part[0]),
            occurrence=np.concatenate([part[1] for part in parts]),
            mask=np.concatenate([part[2] for part in parts]),
            clip=clip,
            clip_names=clip_names,
            group=group,
            group_names=group_names,
            aligned=False,
        ).known_rows()
        check_label_rates(frames, RATES)
        return frames

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """One of :attr:`folds`."""
        return part_fold(frames, name, PARTS)

    def _read_clip(
        self, subject: str, task: str
    ) -> tuple[list[str], NDArray[np.int8], NDArray[np.int8], int]:
        """Pictures, occurrence, mask of one sequence, and how many coded frames have no picture."""
        path = self._coding / f"{subject}_{task}.csv"
        if not path.is_file():
            raise InputError(
                f"BP4D's subject {subject} is incomplete: {path} does not exist; "
                "complete the copy, or name the subjects that are there"
            )
        table = read_number_rows(path)
        columns = _columns(path, table[0])
        frames, codes = table[1:, 0], table[1:, columns]
        occurrence, mask = label_codes.BP4D.decode(
            codes, lambda row, column: f"{path}, row {row + 2}, {LABELS[column]}"
        )
        there = numbered_pictures(self._pictures / subject / task)
        present = np.array([int(frame) in there for frame in frames], bool)
        if self._missing == ERROR and not present.all():
            row = int(np.argmin(present))
            raise InputError(
                f"{path}, row {row + 2}: frame {frames[row]} has no picture in {self._pictures / subject / task}; "
                "complete the copy, or pass missing=skip"
            )
        pictures = [f"{subject}/{task}/{there[int(frame)]}" for frame in frames[present]]
        return pictures, occurrence[present], mask[present], int((~present).sum())


def _columns(path: Path, header: NDArray[np.int64]) -> list[int]:
    """Find where each label stands in the header of AU numbers."""
    numbers = header.tolist()
    lacking = [label for label in LABELS if au_number(label) not in numbers[1:]]
    if numbers[0] != 0 or lacking:
        raise InputError(
            f"{path}, row 1: expected a 0 and then AU numbers with {' '.join(map(str, map(au_number, LABELS)))}, "
            f"got {' '.join(map(str, numbers))}"
        )
    return [numbers.index(au_number(label), 1) for label in LABELS]
