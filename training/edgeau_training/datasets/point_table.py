"""Five points of each face from a file: for pictures that another detector aligns, such as MTCNN, which SIAT-NTU's paper names."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError

__all__ = ["COLUMNS", "PointTable", "read_points"]

COLUMNS = ("picture", *(f"{axis}{number}" for number in range(1, 6) for axis in "xy"))


@dataclass(frozen=True)
class PointTable:
    """Points by picture.

    Attributes:
        digest: SHA-256 of the file, hex.
        points: by the picture's path from the data set's folder, float64 ``(5, 2)``, pixels: eye on the left of the picture, eye on
            the right, nose tip, mouth corner left, right. A picture that is not here has no face.
    """

    digest: str
    points: Mapping[str, NDArray[np.float64]]


def read_points(path: Path) -> PointTable:
    """Read a CSV with the columns of :data:`COLUMNS`, one row a picture.

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
    return PointTable(hashlib.sha256(content).hexdigest(), points)
