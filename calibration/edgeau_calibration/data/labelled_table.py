"""Labelled pictures of one's own in an export: some calibrate, others set thresholds, others measure; nobody is in two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.labelled_pictures import UNKNOWN, LabelledPictures
from edgeau.errors import CalibrationError, InputError
from edgeau.faces.alignment import Alignment
from edgeau.sources.picture_file import read_picture
from edgeau_calibration.data.faces import FaceCropper
from edgeau_calibration.data.labelled import EncodedCrops, EvaluationFaces

__all__ = ["divided", "table_faces"]

# Of the pictures, where the table does not divide them: for ranges and weights, for thresholds; the rest measures.
_SHARES = {"train": 0.5, "val": 0.25}


def divided(found: LabelledPictures) -> LabelledPictures:
    """The table with a split for every row: its own, or whole persons (clips, pictures) by a seeded draw.

    A table of fewer than three of them stays undivided.
    """
    groups = found.groups
    names = np.unique(groups)
    if found.split is not None or len(names) < 3:
        return found
    order = np.random.default_rng(0).permutation(names)
    counts = np.array([(groups == name).sum() for name in order])
    # Each group by where its middle falls; every part gets at least one.
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    part = np.where(middle < _SHARES["train"], 0, np.where(middle < sum(_SHARES.values()), 1, 2))
    part[0], part[-2], part[-1] = 0, 1 if 1 not in part[:-2] else part[-2], 2
    of_group = dict(zip(order.tolist(), part.tolist(), strict=True))
    split = tuple(("train", "val", "test")[of_group[group]] for group in groups.tolist())
    return replace(found, split=split)


def table_faces(
    found: LabelledPictures, split: str, labels: Sequence[str], alignment: Alignment
) -> EvaluationFaces:
    """The faces of a split.

    Args:
        found: divided.
        split: ``"val"`` to fit on, ``"test"`` to measure on.
        labels: C labels wanted; what the table does not have is known of no face.
        alignment: the template of the network.

    Raises:
        CalibrationError: no picture of the split shows a face.
    """
    assert found.split is not None, "the table was not divided"
    chosen = found.select([row for row, name in enumerate(found.split) if name == split])
    files: list[bytes] = []
    rows: list[int] = []
    points: list[NDArray[np.float32] | None] = []
    problems: list[str] = []
    with FaceCropper(alignment) as cropper:
        for row in range(len(chosen)):
            try:
                picture = read_picture(chosen.path(row))
            except InputError as error:
                problems.append(chosen.unreadable(row, error))
                continue
            face = cropper.crop_of_picture(picture)
            if face is not None:
                files.append(cv2.imencode(".png", face[0][..., ::-1])[1].tobytes())
                points.append(face[1])
                rows.append(row)
    where = f"{found.table.name}, split {split}"
    if not files:
        damaged = f" ({problems[0]})" if problems else ""
        raise CalibrationError(f"{where}: no picture shows a face{damaged}")
    truth = np.full((len(rows), len(labels)), UNKNOWN, np.int8)
    for column, label in enumerate(labels):
        if label in chosen.labels:
            truth[:, column] = chosen.truth[rows, chosen.labels.index(label)]
    landmarks = [point for point in points if point is not None]
    return EvaluationFaces(
        crops=EncodedCrops(files, alignment, where),
        present=truth == 1,
        landmarks=np.stack(landmarks) if len(landmarks) == len(files) else None,
        source=where,
        known=truth != UNKNOWN,
        problems=tuple(problems),
    )
