"""Results as rows of numbers under OpenFace's column names; :mod:`edgeau.sinks.tables.openface_csv` says what each means."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from edgeau.action_units.names import au_number_or_none, in_facs_order
from edgeau.faces.landmarks.litert.blendshapes import NAMES
from edgeau.faces.optional_outputs import OptionalOutput
from edgeau.results import Face, FrameResult, HeadPose

__all__ = ["IBUG_68", "Cell", "Column", "OpenFaceRows"]

# In the scheme's order, "left" and "right" being those of the picture.
_JAW = (127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356)
_BROW_LEFT = (70, 63, 105, 66, 107)
_BROW_RIGHT = (336, 296, 334, 293, 300)
_NOSE_BRIDGE = (168, 197, 5, 4)
_NOSE_BASE = (98, 97, 2, 326, 327)
_EYE_LEFT = (33, 160, 158, 133, 153, 144)
_EYE_RIGHT = (362, 385, 387, 263, 373, 380)
_LIPS_OUTER = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_LIPS_INNER = (78, 81, 13, 311, 308, 402, 14, 178)

IBUG_68: tuple[int, ...] = (
    *_JAW,
    *_BROW_LEFT,
    *_BROW_RIGHT,
    *_NOSE_BRIDGE,
    *_NOSE_BASE,
    *_EYE_LEFT,
    *_EYE_RIGHT,
    *_LIPS_OUTER,
    *_LIPS_INNER,
)
"""MediaPipe mesh index of each of the 68 points, all below 468."""


Cell: TypeAlias = "int | float | None"


class Column(NamedTuple):
    """A column: its name, and how many digits behind the point its numbers deserve; None for whole numbers."""

    name: str
    digits: int | None


_LEAD = (
    Column("frame", None),
    Column("face_id", None),
    Column("timestamp", 3),
    Column("confidence", None),
    Column("success", None),
)
_CLOSURE, _BLINK = "AU43", "AU45"
# The AUs of OpenFace 2.2: all have a decision, all but AU28 an intensity.
_OPENFACE = tuple(f"AU{n}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45))
_DECISION_ALONE = "AU28"
_POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


class OpenFaceRows:
    """Takes results apart into rows.

    Args:
        labels: the AUs to give columns, such as ``("AU1", "AU12")``.
        intensities: those of them that get an ``_r`` column.
        sided: those of them that get ``_p_left`` and ``_p_right`` columns.
        landmarks: 68 or 478 for landmark columns, None for none. A mesh without irises leaves the last ten of 478 empty.
        pose: whether to give head rotation columns.
        complete: whether the AUs of OpenFace that are not among the labels get their ``_r`` and ``_c`` columns too, which stay
            empty: its readers (Py-Feat's ``Fex.aus``) refuse tables without one of them.
        optional_outputs: those that get columns, last.
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        intensities: Collection[str] = (),
        sided: Collection[str] = (),
        landmarks: Literal[68, 478] | None = None,
        pose: bool = False,
        complete: bool = False,
        optional_outputs: Collection[OptionalOutput] = (),
    ) -> None:
        self._complete = complete
        self._optional = optional_outputs
        self._labels = in_facs_order(labels)
        self._intensities = [label for label in self._labels if label in intensities]
        self._sided = [label for label in self._labels if label in sided]
        # OpenFace has no AU43: its eye closure, blinks included, is AU45.
        self._closure = _CLOSURE in labels and _BLINK not in labels
        self._landmarks = landmarks
        self._pose = pose
        self.columns = tuple(self._columns())

    def rows(self, result: FrameResult) -> Iterator[tuple[Cell, ...]]:
        """One row a face, or one that says that there was none; a cell without a value is None."""
        if not result.faces:
            row = (result.index + 1, 0, result.time_s, 0, 0)
            yield (*row, *[None] * (len(self.columns) - len(row)))
        for place, face in enumerate(result.faces):
            number = place if face.track_id is None else face.track_id
            yield (result.index + 1, number, result.time_s, 1, 1, *self._cells(face))

    def _columns(self) -> Iterable[Column]:
        yield from _LEAD
        if self._pose:
            yield from (Column(name, 4) for name in _POSE)
        for axis in "xy":
            yield from (Column(f"{axis}_{i}", 2) for i in range(self._landmarks or 0))
        yield from (Column(f"{_padded(name)}_r", 3) for name, _ in self._as_openface(self._intensities))
        yield from (Column(f"{_padded(name)}_c", None) for name, _ in self._as_openface(self._labels, but=()))
        yield from (Column(f"{_padded(label)}_p", 4) for label in self._labels)
        for label in self._sided:
            yield from (Column(f"{_padded(label)}_p_left", 4), Column(f"{_padded(label)}_p_right", 4))
        if "eyes" in self._optional:
            yield from (Column("eye_pitch_degrees", 1), Column("eye_yaw_degrees", 1))
        if "blendshapes" in self._optional:
            yield from (Column(f"blendshape_{name}", 4) for name in NAMES[1:])

    def _cells(self, face: Face) -> Iterable[Cell]:
        if self._pose:
            yield from _pose_cells(face.pose)
        if self._landmarks:
            yield from _landmark_cells(face, self._landmarks)
        for _, label in self._as_openface(self._intensities):
            intensity = None if label is None else face.aus[label].intensity
            yield None if intensity is None else 5 * intensity
        for _, label in self._as_openface(self._labels, but=()):
            active = None if label is None else face.aus[label].active
            yield None if active is None else int(active)
        for label in self._labels:
            yield face.aus[label].raw_probability
        for label in self._sided:
            yield from (face.aus[label].left, face.aus[label].right)
        if "eyes" in self._optional:
            yield from (None, None) if face.eyes is None else (face.eyes.pitch, face.eyes.yaw)
        if "blendshapes" in self._optional:
            weights = face.blendshapes or {}
            yield from (weights.get(name) for name in NAMES[1:])

    def _as_openface(
        self, labels: Sequence[str], but: Collection[str] = (_DECISION_ALONE,)
    ) -> list[tuple[str, str | None]]:
        """The AU that a column is named by, and the one that it is filled with; None for one that stays empty."""
        filled: dict[str, str | None] = dict(zip(labels, labels, strict=True))
        if self._closure and _CLOSURE in labels:
            filled[_BLINK] = _CLOSURE
        if not self._complete:
            return list(filled.items())
        openface = [label for label in _OPENFACE if label not in but]
        return [(label, filled.get(label)) for label in in_facs_order({**dict.fromkeys(openface), **filled})]


def _padded(label: str) -> str:
    """``AU1`` as OpenFace writes it: ``AU01``; a free label as it is."""
    number = au_number_or_none(label)
    return label if number is None else f"AU{number:02d}{label[2 + len(str(number)) :]}"


def _pose_cells(pose: HeadPose | None) -> Iterable[Cell]:
    yield from (None, None, None)
    if pose is None:
        yield from (None, None, None)
        return
    # OpenFace: x right, y down, z away from the camera, so that a nose turning right or up turns by a negative angle.
    for degrees in (-pose.pitch, -pose.yaw, pose.roll):
        yield math.radians(degrees)


def _landmark_cells(face: Face, count: Literal[68, 478]) -> Iterable[Cell]:
    points = face.landmarks[list(IBUG_68)] if count == len(IBUG_68) else face.landmarks
    missing = [None] * (count - len(points))
    for axis in (0, 1):
        yield from points[:, axis].tolist()
        yield from missing
