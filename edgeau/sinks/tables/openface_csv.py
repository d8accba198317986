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
- ``AU01_r ..``: 5 x the estimated intensity (0..5), for AUs whose intensity the model estimates, else empty; the scale is
  OpenFace's, the unit is not a FACS grade.
- ``AU01_c ..``: the decision, 1 or 0.
- ``AU01_p ..``: the probability of this frame alone, before any smoothing, 0..1. OpenFace has no such column, so they
  come last. ``AU12_p_left`` and ``AU12_p_right`` follow for AUs whose sides are told apart (the person's own left and right).

- ``AU45_r``, ``AU45_c``: those of AU43, where the network has that and not AU45: OpenFace's eye closure has this number.
- Files have the ``_r`` and ``_c`` columns of all AUs of OpenFace, those that the network does not know being empty: readers of
  its tables (Py-Feat's ``Fex.aus``) refuse one that lacks any.
- ``eye_pitch_degrees``, ``eye_yaw_degrees`` and ``blendshape_jawOpen`` ..: optional outputs, where they were asked for
  (:class:`~edgeau.results.EyeDirection`, uncalibrated; MediaPipe's weights, 0..1). OpenFace's ``gaze_*`` are of another kind: they
  are directions in the camera's space.
- ``source``: the input, in tables of ``edgeau-analyze``.

An AU that is refused has empty cells, never 0. Cells are separated by a comma alone, so that an empty cell reads
as missing everywhere; readers that strip blanks from OpenFace's names do no harm.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from typing import Literal, TextIO

from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.results import FrameResult
from edgeau.sinks.tables.openface_rows import Cell, OpenFaceRows

__all__ = ["OpenFaceCsv"]


class OpenFaceCsv:
    """Writes results row by row.

    Args:
        stream: text, opened with ``newline=""``; the header is written at once.
        labels: the AUs to give columns, such as ``("AU1", "AU12")``.
        intensities: those of them that get an ``_r`` column.
        sided: those of them that get ``_p_left`` and ``_p_right`` columns.
        landmarks: 68 or 478 for landmark columns, None for none. A mesh without irises leaves the last ten of 478 empty.
        pose: whether to give head rotation columns.
        complete: whether OpenFace's other AUs get columns too, which stay empty.
        optional_outputs: those that get columns.
        source: what the last column says in every row; None for no such column.
    """

    def __init__(
        self,
        stream: TextIO,
        labels: Sequence[str],
        *,
        intensities: Collection[str] = (),
        sided: Collection[str] = (),
        landmarks: Literal[68, 478] | None = None,
        pose: bool = False,
        complete: bool = False,
        optional_outputs: Collection[OptionalOutput] = (),
        source: str | None = None,
    ) -> None:
        self._rows = OpenFaceRows(
            labels,
            intensities=intensities,
            sided=sided,
            landmarks=landmarks,
            pose=pose,
            complete=complete,
            optional_outputs=optional_outputs,
        )
        self._source = () if source is None else (source,)
        self.columns = (*(column.name for column in self._rows.columns), *("source" for _ in self._source))
        self._digits = [column.digits for column in self._rows.columns]
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(self.columns)

    def write(self, result: FrameResult) -> None:
        """Add one row a face, or one row that says that there was none."""
        for row in self._rows.rows(result):
            cells = [_text(*cell) for cell in zip(row, self._digits, strict=True)]
            self._writer.writerow([*cells, *self._source])


def _text(value: Cell, digits: int | None) -> str:
    if value is None:
        return ""
    return str(value) if digits is None else f"{value:.{digits}f}"
