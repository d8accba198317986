"""Answers of a teacher to a training split, which a network in training imitates.

They are computed once, on the crops as they are stored, and kept in a file: a teacher in the loop would cost more than the student.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.file_digest import file_digest
from edgeau.errors import UsageError
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.predictions import load_predictions

__all__ = ["TABLE", "Teacher"]

TABLE = "teacher"  # name of the table in the file


class Teacher:
    """Logits of a teacher for every row of a training side.

    Args:
        path: what ``python -m edgeau_training.evaluation.teacher_answers`` wrote.
        data: the training side; its rows and labels must be those that the teacher was asked.

    Attributes:
        logits: float32 ``(N, C)``.
        name: of the file.
        sha256: of the file, hex.
        licences: licences of the teacher's weights, which hold for the student's.

    Raises:
        InputError: the file is missing, damaged, or something else.
        UsageError: it is of other faces, lacks a label, or does not name the licences.
    """

    def __init__(self, path: Path, data: LabelledCrops) -> None:
        tables = load_predictions(path)
        if TABLE not in tables:
            raise UsageError(
                f"--teacher {path} has no table {TABLE!r}, but {', '.join(tables)}; write it with "
                "python -m edgeau_training.evaluation.teacher_answers"
            )
        missing = [label for label in data.labels if label not in tables[TABLE].labels]
        if missing:
            raise UsageError(f"--teacher {path} has no answers for {', '.join(missing)}")
        table = tables[TABLE].select(data.labels)
        if table.licences is None:
            raise UsageError(
                f"--teacher {path} does not name the licences of the teacher's weights, which hold for the student's; write it again "
                "with python -m edgeau_training.evaluation.teacher_answers"
            )
        known = data.mask > 0
        if len(table.truth) != len(data) or not np.array_equal(table.truth[known], data.occurrence[known]):
            raise UsageError(
                f"--teacher {path} has answers to {len(table.truth)} faces, which are not the {len(data)} that are trained on; write it "
                "again for this data"
            )
        self.logits: NDArray[np.float32] = table.logits
        self.licences = table.licences
        self.name, self.sha256 = path.name, file_digest(path)
