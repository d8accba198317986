"""CSV with the columns of OpenFace 2.2, which most tools of the field read.

The columns, in OpenFace's order (https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format):

- ``frame``: number of the frame, from **1** as in OpenFace (:class:`~edgeau.results.FrameResult` counts from 0).
- ``face_id``: the track's number; for single pictures the face's place in the frame, from 0.
- ``timestamp``: seconds from the start of the source; 0 for pictures.
- ``confidence``: 1 where a face was found, else 0. The landmark models give no graded confidence, so none is made up.
- ``success``: 1 where a face was found, else 0. A frame without a face has one row, with empty cells behind this one.
- ``pose_Tx .. pose_Tz``: always empty: a distance in millimetres needs a calibrated camera.
- ``pose_Rx, pose_Ry, pose_Rz``: head rotation in radians with OpenFace's signs: positive when the person looks down,
  turns towards the left of the picture, tilts clockwise in the picture.
- ``x_0 .., y_0 ..``: landmarks in pixels: the 68 points of the iBUG scheme, or all points of MediaPipe's mesh.
- ``AU01_r ..``: 5 x the estimated intensity (0..5), only for AUs whose intensity the model estimates; the scale is
  OpenFace's, the unit is not a FACS grade.
- ``AU01_c ..``: the decision, 1 or 0.
- ``AU01_p ..``: the probability, 0..1. OpenFace has no such column, so they come last.

An AU that could not be judged has empty cells, never 0. Cells are separated by a comma alone, so that an empty cell reads
as missing everywhere; readers that strip blanks from OpenFace's names do no harm.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Literal, TextIO

from edgeau.action_units import au_number
from edgeau.tables.ibug68 import IBUG_68

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from edgeau.results import Face, FrameResult, HeadPose

__all__ = ["OpenFaceCsv"]

_LEAD = ("frame", "face_id", "timestamp", "confidence", "success")
_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


class OpenFaceCsv:
    """Writes results row by row.

    Args:
        stream: text, opened with ``newline=""``; the header is written at once.
        labels: the AUs to give columns, such as ``("AU1", "AU12")``.
        intensities: those of them that get an ``_r`` column.
        landmarks: 68 or 478 for landmark columns, None for none. A mesh without irises leaves the last ten of 478 empty.
        pose: whether to give head rotation columns.
    """

    def __init__(
        self,
        stream: TextIO,
        labels: Sequence[str],
        *,
        intensities: Collection[str] = (),
        landmarks: Literal[68, 478] | None = None,
        pose: bool = False,
    ) -> None:
        self._labels = sorted(labels, key=au_number)
        self._intensities = [label for label in self._labels if label in intensities]
        self._landmarks = landmarks
        self._pose = pose
        self._writer = csv.writer(stream, lineterminator="\n")
        self.columns = tuple(self._columns())
        self._writer.writerow(self.columns)

    def write(self, result: FrameResult) -> None:
        """Add one row a face, or one row that says that there was none."""
        lead = (result.index + 1, f"{result.time_s:.3f}")
        if not result.faces:
            row = (lead[0], 0, lead[1], 0, 0)
            self._writer.writerow((*row, *[""] * (len(self.columns) - len(row))))
        for place, face in enumerate(result.faces):
            number = place if face.track_id is None else face.track_id
            self._writer.writerow((lead[0], number, lead[1], 1, 1, *self._cells(face)))

    def _columns(self) -> Iterable[str]:
        yield from _LEAD
        if self._pose:
            yield from _POSE
        for axis in "xy":
            yield from (f"{axis}_{i}" for i in range(self._landmarks or 0))
        yield from (f"{_padded(label)}_r" for label in self._intensities)
        yield from (f"{_padded(label)}_c" for label in self._labels)
        yield from (f"{_padded(label)}_p" for label in self._labels)

    def _cells(self, face: Face) -> Iterable[str]:
        if self._pose:
            yield from _pose_cells(face.pose)
        if self._landmarks:
            yield from _landmark_cells(face, self._landmarks)
        for label in self._intensities:
            yield _number(face.aus[label].intensity, 5, 3)
        for label in self._labels:
            active = face.aus[label].active
            yield "" if active is None else str(int(active))
        for label in self._labels:
            yield _number(face.aus[label].probability, 1, 4)


def _padded(label: str) -> str:
    """``AU1`` as OpenFace writes it: ``AU01``."""
    return f"AU{au_number(label):02d}"


def _number(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else f"{scale * value:.{digits}f}"


def _pose_cells(pose: HeadPose | None) -> Iterable[str]:
    yield from ("", "", "")
    if pose is None:
        yield from ("", "", "")
        return
    # OpenFace: x right, y down, z away from the camera, so that a nose turning right or up turns by a negative angle.
    for degrees in (-pose.pitch, -pose.yaw, pose.roll):
        yield f"{math.radians(degrees):.4f}"


def _landmark_cells(face: Face, count: Literal[68, 478]) -> Iterable[str]:
    points = face.landmarks[list(IBUG_68)] if count == len(IBUG_68) else face.landmarks
    missing = [""] * (count - len(points))
    for axis in (0, 1):
        yield from (f"{value:.2f}" for value in points[:, axis])
        yield from missing
