"""Results of a frame: frozen, validated values over numpy.

Coordinates are pixels of the frame, x to the right, y down, origin at the centre of the top-left pixel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import LINES
from edgeau._system.named_object import named_object
from edgeau.errors import DependencyError

__all__ = [
    "REASONS",
    "ActionUnit",
    "Box",
    "EyeDirection",
    "Face",
    "FaceQuality",
    "FrameResult",
    "HeadPose",
    "Reason",
    "Region",
    "refused_unit",
]

Region = Literal["brows", "eyes", "cheeks", "nose", "mouth"]

Reason = Literal[
    "too soon", "landmarks", "out of frame", "size", "pose", "dark", "bright", "occluded", "blur"
]

REASONS: dict[Reason, str] = {
    "too soon": "the face has only just appeared, and the network has not looked at it yet",
    "landmarks": "the landmarks did not pass their check: they may lie on something else than a face, or beside it",
    "out of frame": "the part of the face that the AU shows in lies outside the picture",
    "size": "the face has too few pixels",
    "pose": "the head is turned too far",
    "dark": "the face is too dark",
    "bright": "the face is overexposed",
    "occluded": "something lies over the part of the face that the AU shows in",
    "blur": "the face is out of focus or moved",
}
"""What each reason means, for people; in the order in which they are looked for."""


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _FrozenDict(dict[_Key, _Value]):
    """A dictionary that nobody changes, and that pickles and copies like one: every change raises TypeError. ``MappingProxyType`` cannot be pickled or deep-copied."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> _FrozenDict[_Key, _Value]:
        return type(self)({key: deepcopy(value, memo) for key, value in self.items()})

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("results cannot be changed; dict(...) gives a copy that can")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One action unit of one face.

    Attributes:
        name: label, such as ``"AU12"``.
        probability: 0..1, or None when the AU is refused.
        active: the decision at the AU's threshold, or None when it is refused.
        intensity: 0..1, the estimated rig coefficient where the model gives one, else None. It is not a FACS A-E grade.
        reason: why it is refused (``"pose"``, ``"size"``, ...); None when it is not.
        experimental: True when nothing showed yet that this AU works on real faces.
        raw: the probability before any filter, 0..1; None where no filter changed it (then it is ``probability``).
        left: probability that the person's own left side shows the AU, 0..1; None where the AU has no sides, the bundle does
            not tell them apart, or the AU is refused. The larger of both sides is ``probability``.
        right: the same of the person's own right side.
    """

    name: str
    probability: float | None
    active: bool | None
    intensity: float | None = None
    reason: str | None = None
    experimental: bool = False
    raw: float | None = None
    left: float | None = None
    right: float | None = None

    def __post_init__(self) -> None:
        # Some thirty of them are made for each face of each frame: what is wrong is only looked for where something is.
        left, right = self.left, self.right
        if (
            self.probability is None
            or self.reason is not None
            or self.active is None
            or not 0.0 <= self.probability <= 1.0
            or not (self.intensity is None or 0.0 <= self.intensity <= 1.0)
            or not (self.raw is None or 0.0 <= self.raw <= 1.0)
            or not (left is right is None or (left is not None and right is not None))
            or not (left is None or 0.0 <= left <= 1.0)
            or not (right is None or 0.0 <= right <= 1.0)
        ):
            self._check()

    def _check(self) -> None:
        """Raise what is wrong; an AU that is refused comes here, too."""
        probability, intensity = self.probability, self.intensity
        if (probability is None) is (self.reason is None):
            raise ValueError(
                f"{self.name}: either a probability or a reason, got {probability!r}, {self.reason!r}"
            )
        if (probability is None) is not (self.active is None):
            raise ValueError(f"{self.name}: probability and decision come together")
        if probability is not None and not 0.0 <= probability <= 1.0:
            raise ValueError(f"{self.name}: probability must be within 0..1, got {probability!r}")
        if (self.left is None) is not (self.right is None):
            raise ValueError(f"{self.name}: both sides come together, got {self.left!r}, {self.right!r}")
        for what, value in (("raw", self.raw), ("left", self.left), ("right", self.right)):
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{self.name}: the {what} probability must be within 0..1, got {value!r}")
        if intensity is not None and not 0.0 <= intensity <= 1.0:
            raise ValueError(f"{self.name}: intensity must be within 0..1, got {intensity!r}")

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, without the name: probabilities rounded to five digits, None where there is none."""
        return {
            **_rounded(5, probability=self.probability, raw=self.raw_probability),
            "active": self.active,
            **_rounded(5, intensity=self.intensity, left=self.left, right=self.right),
            "reason": self.reason,
            "experimental": self.experimental,
        }

    @property
    def raw_probability(self) -> float | None:
        """The probability of this frame alone, before any filter; None when the AU is refused."""
        return self.probability if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box around a face, pixels: left, top, width, height."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.width >= 0 and self.height >= 0):
            raise ValueError(f"a box needs a width and height of 0 or more, got {self.width} x {self.height}")


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Head rotation in degrees, the person looking at the camera being (0, 0, 0).

    Attributes:
        pitch: positive when the person looks up.
        yaw: positive when the person turns towards the right of the picture.
        roll: positive when the head tilts clockwise in the picture.
    """

    pitch: float
    yaw: float
    roll: float


@dataclass(frozen=True, slots=True)
class EyeDirection:
    """Direction of the eyes from the head, degrees, from the irises' places in their eyes; uncalibrated.

    Straight ahead is (0, 0) of a mean face; how far off it is differs from person to person. Add :class:`HeadPose` for the room.

    Attributes:
        pitch: positive when the eyes look up.
        yaw: positive when the eyes look towards the right of the picture.
    """

    pitch: float
    yaw: float


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Measures of one face's picture.

    Attributes:
        size: longer side of the box around eye centres, nose tip and mouth corners, in level position; pixels of the
            frame.
        sharpness: 0.12 blurred .. 0.2 sharp .. 1 nothing but noise (:func:`edgeau.faces.quality.picture.sharpness`).
        light: mean brightness of the face, 0..255.
        clipped: share of the face's pixels in which a colour is overexposed, 0..1.
        visible: face region to the share of its landmarks inside the frame, 0..1.
        covered: face regions that something lies over.
        refused: AU label to the reason why it is refused; an AU that is not in here is read.
    """

    size: float
    sharpness: float
    light: float
    clipped: float
    visible: Mapping[Region, float]
    covered: frozenset[Region]
    refused: Mapping[str, Reason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "visible", _FrozenDict(self.visible))
        object.__setattr__(self, "refused", _FrozenDict(self.refused))

    def refuse(self, aus: Mapping[str, ActionUnit]) -> dict[str, ActionUnit]:
        """The AUs of this face, those refused without numbers and with the reason."""
        refused = self.refused
        if not refused:
            return dict(aus)
        return {
            label: refused_unit(unit, refused[label]) if label in refused else unit
            for label, unit in aus.items()
        }


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array, or a view of it: later frames may be compared with what a result holds, so nobody writes into it."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def refused_unit(unit: ActionUnit, reason: str) -> ActionUnit:
    """An AU without its numbers: absent, which is not the same as 0."""
    return ActionUnit(unit.name, None, None, None, reason, unit.experimental)


@dataclass(frozen=True, slots=True, repr=False)
class Face:
    """One face.

    Attributes:
        box: around the landmarks.
        landmarks: float32 ``(468 or 478, 3)``, read-only; x y in pixels, z in the same unit, smaller is closer to the camera.
        track_id: the same number for the same person while visible; None for single pictures.
        pose: head pose, or None when it was not computed.
        aus: label to action unit, in the model's output order.
        quality: quality of the face's picture, or None when it was not assessed.
        aus_time_s: ``time_s`` of the frame that ``aus`` were read from; live, the network may look at every k-th frame
            only, and the frames between carry its last answer. None when the network has not looked at this face yet.
        network_logits: float32 ``(C,)``, read-only, what the network alone says, in the order of the bundle's labels
            (``bundle.manifest.labels``), before landmarks and a neutral baseline; None where it did not look at this very frame.
            It is what :class:`edgeau.NeutralCollector` collects, and stands in no table.
        aus_held_s: ``time_s`` of the last frame that showed the face unchanged since ``aus_time_s``, so that the network's answer
            held and it was not asked again; landmarks are of the frame itself all the same. None where it looked itself.
        blendshapes: MediaPipe's weights, 0..1, by Apple's names (51: all of its 52 but the neutral face's), left and right being the person's own; None where
            they were not asked for (``also=("blendshapes",)``).
        eyes: direction of the eyes, uncalibrated; None where it was not asked for (``also=("eyes",)``), or both eyes are closed.
    """

    box: Box
    landmarks: NDArray[np.float32]
    track_id: int | None
    pose: HeadPose | None
    aus: Mapping[str, ActionUnit]
    quality: FaceQuality | None = None
    aus_time_s: float | None = None
    network_logits: NDArray[np.float32] | None = None
    aus_held_s: float | None = None
    blendshapes: Mapping[str, float] | None = None
    eyes: EyeDirection | None = None

    def __post_init__(self) -> None:
        shape = self.landmarks.shape
        if shape not in ((468, 3), (478, 3)):
            raise ValueError(f"landmarks must be (468, 3) or (478, 3), got {shape}")
        if self.landmarks.dtype != np.float32:
            raise ValueError(f"landmarks must be float32, got {self.landmarks.dtype}")
        object.__setattr__(self, "landmarks", _read_only(self.landmarks))
        if self.network_logits is not None:
            object.__setattr__(self, "network_logits", _read_only(self.network_logits))
        object.__setattr__(self, "aus", _FrozenDict(self.aus))
        if self.blendshapes is not None:
            object.__setattr__(self, "blendshapes", _FrozenDict(self.blendshapes))

    def __repr__(self) -> str:
        who = "" if self.track_id is None else f"track_id={self.track_id}, "
        box = f"{self.box.width:.0f}x{self.box.height:.0f} at ({self.box.left:.0f}, {self.box.top:.0f})"
        active = [label for label, unit in self.aus.items() if unit.active]
        refused = sum(unit.reason is not None for unit in self.aus.values())
        return f"<Face {who}box {box}, active: {' '.join(active) or 'none'}, refused: {refused} of {len(self.aus)}>"

    def to_dict(self, place: int = 0, *, landmarks: bool = False) -> dict[str, Any]:
        """Convert to plain values, as in a ``.jsonl`` table (:mod:`edgeau.sinks.tables.jsonl` says what each is).

        Args:
            place: place of the face in its frame, its number where it has no track.
            landmarks: whether to give the mesh points too.
        """
        box, pose, quality = self.box, self.pose, self.quality
        values: dict[str, Any] = {
            "face_id": place if self.track_id is None else self.track_id,
            "box": _rounded(2, left=box.left, top=box.top, width=box.width, height=box.height),
            "pose": pose and _rounded(2, pitch=pose.pitch, yaw=pose.yaw, roll=pose.roll),
            "aus": {label: unit.to_dict() for label, unit in self.aus.items()},
        }
        if quality is not None:
            values["quality"] = _rounded(
                3,
                size=quality.size,
                sharpness=quality.sharpness,
                light=quality.light,
                clipped=quality.clipped,
            )
        if self.aus_held_s is not None:
            values |= _rounded(6, aus_time_s=self.aus_time_s)
        if self.blendshapes is not None:
            values["blendshapes"] = _rounded(4, **self.blendshapes)
        if self.eyes is not None:
            values["eyes"] = _rounded(1, pitch=self.eyes.pitch, yaw=self.eyes.yaw)
        if landmarks:
            values["landmarks"] = np.round(self.landmarks.astype(float), 2).tolist()
        return values


@dataclass(frozen=True, slots=True, repr=False)
class FrameResult:
    """All faces of one frame.

    Attributes:
        index: number of the frame in its source, from 0.
        time_s: time of the frame in its source, seconds from the source's start.
        age_s: from capture to this result, seconds.
        dropped: frames that the source gave and the pipeline left out since the result before this one.
        faces: in order of ``track_id`` where there is one, else from left to right.
        captured_s: when the frame was taken, on the machine's steady clock (``time.monotonic``); None for files.
        drops: why to how many of the ``dropped`` frames; see :data:`edgeau.live.DROP_REASONS`.
        every: the network looked at each face in every k-th frame; 1 where it looks at all.
        gap_s: seconds without frames since the result before this one, after which the source came back; 0 when it never
            left.
    """

    index: int
    time_s: float
    age_s: float
    dropped: int
    faces: tuple[Face, ...]
    captured_s: float | None = None
    drops: Mapping[str, int] = field(default_factory=dict)
    every: int = 1
    gap_s: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "drops", _FrozenDict(self.drops))

    def __repr__(self) -> str:
        return (
            f"<FrameResult {self.index} at {self.time_s:.3f} s: {len(self.faces)} faces {list(self.faces)}>"
        )

    @property
    def largest_face(self) -> Face | None:
        """The face with the largest box, which is most likely the closest person's; None without a face."""
        return max(self.faces, key=lambda face: face.box.width * face.box.height, default=None)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Float32 ``(faces, 4)``: left, top, width, height of each face, pixels."""
        rows = [(face.box.left, face.box.top, face.box.width, face.box.height) for face in self.faces]
        return np.array(rows, np.float32).reshape(-1, 4)

    @property
    def track_ids(self) -> NDArray[np.int64]:
        """Int64 ``(faces,)``: the track of each face; -1 for a face without one."""
        numbers = [-1 if face.track_id is None else face.track_id for face in self.faces]
        return np.array(numbers, np.int64)

    @property
    def landmarks(self) -> NDArray[np.float32]:
        """Float32 ``(faces, 468 or 478, 3)``, x y z in pixels; ``(0, 0, 3)`` without a face.

        The first 468 points are the same with and without irises, and all that is given where some faces have none.
        """
        if not self.faces:
            return np.empty((0, 0, 3), np.float32)
        points = min(len(face.landmarks) for face in self.faces)
        return np.stack([face.landmarks[:points] for face in self.faces])

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Float32 ``(faces, AUs)`` in the model's output order; NaN for an AU that is refused."""
        rows = [[unit.probability for unit in face.aus.values()] for face in self.faces]
        return np.array(rows, np.float32) if rows else np.empty((0, 0), np.float32)

    def to_dict(self, *, landmarks: bool = False) -> dict[str, Any]:
        """Convert to plain values: ``index``, ``time_s``, and ``faces`` as :meth:`Face.to_dict` gives them.

        Args:
            landmarks: whether faces carry their mesh points.
        """
        return {
            "index": int(self.index),
            "time_s": round(float(self.time_s), 6),
            "faces": [face.to_dict(place, landmarks=landmarks) for place, face in enumerate(self.faces)],
        }

    def to_json(self, *, landmarks: bool = False) -> str:
        """:meth:`to_dict` as one line of JSON."""
        return json.dumps(self.to_dict(landmarks=landmarks), allow_nan=False, separators=(",", ":"))

    def plot(
        self, image: NDArray[np.uint8], thresholds: Mapping[str, float] | None = None
    ) -> NDArray[np.uint8]:
        """The picture with what was found in it: outlines on the faces, the action units of each in a strip at the right.

        Many pictures are drawn faster by one :class:`edgeau.Annotator`.

        Args:
            image: uint8 ``(height, width, 3)``, BGR: the frame that this is the result of. It is not changed.
            thresholds: label to decision threshold, 0..1, shown as a tick on each bar, such as
                :attr:`edgeau.Pipeline.thresholds`; None shows none.

        Returns:
            uint8 ``(height, width, 3)``, BGR, larger than the frame by the strip: for ``cv2.imwrite``, or with its channels
            turned round (``[..., ::-1]``) for matplotlib and notebooks.

        Raises:
            InputError: the image is not a BGR picture; the message says how to make it one.
        """
        # Drawing knows results, and not the other way round: it is found by its name, and only when it is asked for.
        picture: NDArray[np.uint8] = named_object("edgeau.annotation:Annotator")(thresholds or {}).draw(
            image, self
        )
        return picture

    def to_dataframe(self) -> Any:
        """A pandas data frame, one row a face; several results together: ``pandas.concat(r.to_dataframe() for r in results)``.

        Columns: ``index``, ``time_s``, ``face_id``; ``left``, ``top``, ``width``, ``height`` in pixels; ``pitch``, ``yaw``,
        ``roll`` in degrees; and for each AU its probability (``AU12``), decision (``AU12_active``) and the reason why there is
        none (``AU12_reason``). Where they were asked for: weights as ``blendshape_jawOpen``, and ``eye_pitch``, ``eye_yaw`` in degrees.
        Missing values are NA.

        Raises:
            DependencyError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise DependencyError(
                f"a data frame needs pandas: {LINES['pandas']}; to_dict() needs nothing"
            ) from error
        rows = []
        for place, face in enumerate(self.faces):
            pose = face.pose
            row: dict[str, Any] = {
                "index": self.index,
                "time_s": self.time_s,
                "face_id": place if face.track_id is None else face.track_id,
                **{name: getattr(face.box, name) for name in ("left", "top", "width", "height")},
                **{name: pose and getattr(pose, name) for name in ("pitch", "yaw", "roll")},
            }
            for label, unit in face.aus.items():
                row[label], row[f"{label}_active"] = unit.probability, unit.active
                row[f"{label}_reason"] = unit.reason
            row |= {f"blendshape_{name}": weight for name, weight in (face.blendshapes or {}).items()}
            if face.eyes is not None:
                row |= {"eye_pitch": face.eyes.pitch, "eye_yaw": face.eyes.yaw}
            rows.append(row)
        # Said of every column in which values may be missing: a frame in which all are would else give it another type.
        kinds = dict.fromkeys(("pitch", "yaw", "roll"), "float64") if rows else {}
        for label in {label: None for face in self.faces for label in face.aus}:
            kinds |= {label: "float64", f"{label}_active": "boolean", f"{label}_reason": "string"}
        return pd.DataFrame(rows).astype(kinds)


def _rounded(digits: int, **values: float | None) -> dict[str, float | None]:
    return {name: None if value is None else round(float(value), digits) for name, value in values.items()}
