"""Action units from face landmarks alone: a linear map of the face's shape, in numpy.

The face is laid on a template (:mod:`edgeau.action_units.face_shape`). Its difference from a neutral face, ``(468, 3)``, times one
weight matrix per AU estimates the AU's intensity; a logistic line per AU turns that estimate into a logit. The weights are
symmetric, so a mirrored face gives the same answer.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.json_text import parse_json
from edgeau._system.npz import SMALL, read_npz
from edgeau.action_units.face_shape import MESH_POINTS, FaceTemplate
from edgeau.action_units.landmark_sides import LandmarkSides
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.errors import BundleError, InputError, NpzError

__all__ = ["FORMAT", "LandmarkEstimate", "LandmarkModel"]

FORMAT = 1


@dataclass(frozen=True)
class LandmarkEstimate:
    """Intensities and logits from the landmarks of one face, or of N faces; each float32 ``(C,)`` or ``(N, C)``.

    Attributes:
        logits: probability that the AU is present = sigmoid.
        intensities: estimated strength, 0..1; the rig coefficient that the model was trained on, not a FACS A-E grade.
        sides: logits of the person's own left and right half, float32 ``(2, S)`` or ``(N, 2, S)``, for the S labels of the
            model's sides; None without.
    """

    logits: NDArray[np.float32]
    intensities: NDArray[np.float32]
    sides: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class LandmarkModel:
    """A fitted landmark model.

    Attributes:
        labels: C AU labels, in output order.
        template: float32 ``(468, 3)``, the mean face; between the eyes is the origin, the outer eye corners are 1 apart.
        stability: float32 ``(468,)``, how much each point counts when a face is laid on the template.
        neutral: float32 ``(468, 3)``, the mean face without expression.
        weights: float32 ``(C, 468, 3)``, intensity per template unit of difference from neutral.
        bias: float32 ``(C,)``, intensity of the neutral face.
        slope: float32 ``(C,)``; shift: float32 ``(C,)``: ``logit = slope * intensity + shift``.
        thresholds: float32 ``(C,)``, decision thresholds on the probability.
        info: what it was trained on, licences, measured figures; plain JSON values.
        sides: tells left from right; None for a model that does not.
    """

    labels: tuple[str, ...]
    template: NDArray[np.float32]
    stability: NDArray[np.float32]
    neutral: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    info: dict[str, Any]
    sides: LandmarkSides | None = None

    def __post_init__(self) -> None:
        for name, shape in _shapes(len(self.labels)).items():
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise BundleError(f"landmark model: {name} must be {shape} finite numbers, got {array.shape}")
        if not self.labels or not (self.stability >= 0).all() or not self.stability.any():
            raise BundleError("landmark model: it has no label, or no point to lay a face by")

    def estimate(
        self, landmarks: NDArray[np.floating[Any]], baseline: NeutralBaseline | None = None
    ) -> LandmarkEstimate:
        """Logits and intensities of one face or of N.

        Args:
            landmarks: ``(468 or 478, 3)`` or ``(N, 468 or 478, 3)``, x y z in one unit, MediaPipe's axes.
            baseline: this person's own neutral face; None takes the mean of many.

        Raises:
            InputError: the landmarks have another shape, or coincide, or the baseline is of another model.
        """
        shapes = self.shape(landmarks)
        neutral = self.neutral if baseline is None else baseline.neutral(self.neutral, self.template_digest)
        difference = shapes - neutral
        flat = difference.reshape(*shapes.shape[:-2], -1)
        evidence = flat @ self.weights.reshape(len(self.labels), -1).T + self.bias
        sides = None if self.sides is None else self.sides.logits(difference)
        return LandmarkEstimate(
            evidence * self.slope + self.shift, np.minimum(np.maximum(evidence, 0), 1), sides
        )

    def logits(
        self, landmarks: NDArray[np.floating[Any]], baseline: NeutralBaseline | None = None
    ) -> NDArray[np.float32]:
        """Logits alone; see :meth:`estimate`."""
        return self.estimate(landmarks, baseline).logits

    def shape(self, landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Faces laid on the template, float32 ``(468, 3)`` or ``(N, 468, 3)``.

        Raises:
            InputError: the landmarks have another shape, or coincide.
        """
        shape = landmarks.shape
        if len(shape) not in (2, 3) or shape[-2] < MESH_POINTS or shape[-1] != 3:
            raise InputError(f"landmarks must be (468 or 478, 3) or (N, 468 or 478, 3), got {shape}")
        faces = landmarks.reshape(-1, *shape[-2:])[:, :MESH_POINTS]
        return self._laying.lay(faces).reshape(*shape[:-2], MESH_POINTS, 3)

    @cached_property
    def _laying(self) -> FaceTemplate:
        return FaceTemplate(self.template, self.stability)

    @cached_property
    def template_digest(self) -> str:
        """Names the template, so that a neutral face laid on another one is refused."""
        content = self.template.astype("<f4").tobytes() + self.stability.astype("<f4").tobytes()
        return hashlib.sha256(content).hexdigest()[:16]

    @classmethod
    def load(cls, path: Path) -> LandmarkModel:
        """Read a ``.npz`` file (no pickles).

        Raises:
            BundleError: it is missing, damaged, or newer than this library.
        """
        arrays = _read(path)
        try:
            found, labels = int(arrays["format"]), tuple(str(label) for label in arrays["labels"])
            if found > FORMAT:
                raise BundleError(
                    f"{path} has landmark model format {found}, this edgeau reads {FORMAT}; upgrade edgeau"
                )
            numbers = {name: arrays[name].astype(np.float32) for name in _shapes(len(labels))}
            info: dict[str, Any] = parse_json(str(arrays["info"]))
            return cls(labels=labels, info=info, sides=LandmarkSides.of_arrays(arrays), **numbers)
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(
                f"{path} is not a landmark model, or is damaged ({error}); copy it again"
            ) from error

    def save(self, path: Path) -> None:
        """Write a ``.npz`` file, whole or not at all; weights are stored in half precision.

        Raises:
            OutputError: the folder cannot be written to.
        """
        numbers = {name: getattr(self, name) for name in _shapes(len(self.labels))}
        numbers["weights"] = self.weights.astype(np.float16)
        content = io.BytesIO()
        np.savez_compressed(
            content,
            format=np.array(FORMAT),
            labels=np.array(self.labels),
            info=np.array(json.dumps(self.info)),
            **numbers,
            **({} if self.sides is None else self.sides.arrays()),
        )
        write_whole(path, content.getvalue())


def _shapes(labels: int) -> dict[str, tuple[int, ...]]:
    """The arrays of a model with so many labels."""
    points = (MESH_POINTS, 3)
    per_label = dict.fromkeys(("bias", "slope", "shift", "thresholds"), (labels,))
    return {
        "template": points,
        "stability": (MESH_POINTS,),
        "neutral": points,
        "weights": (labels, *points),
        **per_label,
    }


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise BundleError(f"landmark model {path} does not exist")
    try:
        return read_npz(path, limit=SMALL)
    except NpzError as error:
        raise BundleError(
            f"{path} is not a landmark model, or is damaged ({error}); copy it again"
        ) from error
