"""Five points of each face from a file: for pictures that another detector aligns, such as MTCNN, which SIAT-NTU's paper names."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames

__all__ = ["COLUMNS", "PointTable", "read_points"]

COLUMNS = ("picture", *(f"{axis}{number}" for number in range(1, 6) for axis in "xy"))


@dataclass(frozen=True)
class PointTable:
    """Points by picture.

    Attributes:
        path: the file.
        folder: folder of the data set, which the pictures' paths start in.
        digest: SHA-256 of the file, hex.
        points: by the picture's path from that folder, float64 ``(5, 2)``, pixels: eye on the left of the picture, eye on the
            right, nose tip, mouth corner left, right. A picture that is not here has no face.
    """

    path: Path
    folder: Path
    digest: str
    points: Mapping[str, NDArray[np.float64]]

    def of(self, picture: Path) -> NDArray[np.float64] | None:
        """Points of a picture, float64 ``(5, 2)``, pixels; None where it has no face."""
        return self.points.get(Path(os.path.relpath(picture, self.folder)).as_posix())

    def check(self, frames: LabelledFrames) -> None:
        """See that the table is about these pictures: without a single one of them, all would pass for pictures without a face.

        Raises:
            InputError: it names none of them.
        """
        pictures = (frames.path(row) for row in range(len(frames)))
        if all(self.of(picture) is None for picture in pictures):
            wanted = Path(os.path.relpath(frames.path(0), self.folder)).as_posix()
            raise InputError(
                f"{self.path} names none of the {len(frames)} pictures of {frames.name}; the column picture must hold paths from "
                f"{self.folder}, such as {wanted}"
            )


def read_points(path: Path, folder: Path | None = None) -> PointTable:
    """Read a CSV with the columns of :data:`COLUMNS`, one row a picture.

    Args:
        path: the file.
        folder: folder that the pictures' paths start in; None takes the file's own.

    Raises:
        InputError: the file is missing, or a row is damaged; the message names it.
    """
    try:
        content = path.read_bytes()
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a CSV file ({error})") from error
    if not rows or tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise InputError(f"{path}: the first row must be {','.join(COLUMNS)}")
    points: dict[str, NDArray[np.float64]] = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        where = f"{path}, row {number}"
        if len(row) != len(COLUMNS):
            raise InputError(f"{where}: {len(row)} cells instead of {len(COLUMNS)}")
        if row[0] in points:
            raise InputError(f"{where}: {row[0]} appears twice; keep the face that is meant")
        try:
            values = np.array([float(cell) for cell in row[1:]])
        except ValueError:
            raise InputError(f"{where}: a coordinate is not a number") from None
        if not np.isfinite(values).all():
            raise InputError(f"{where}: a coordinate is not finite")
        points[row[0]] = values.reshape(5, 2)
    return PointTable(
        path, path.parent if folder is None else folder, hashlib.sha256(content).hexdigest(), points
    )
