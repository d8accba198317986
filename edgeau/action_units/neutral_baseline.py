"""A person's own neutral face: what the landmark model measures differences from, once it is known.

Faces at rest differ: low brows read as a frown (AU4), narrow eyes as tightened lids (AU7). One second of the person at
rest tells the two apart.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.errors import InputError, NpzError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau.action_units.landmark_model import LandmarkModel

__all__ = ["NeutralBaseline", "NeutralCollector"]

# Ours. Landmark jitter of a face at rest moves an intensity by some hundredths; an expression that comes or goes within
# the second moves it by far more.
_STEADY = 0.15
_FEWEST_FRAMES = 5
# How far to go from the mean of many to the one second of this person, ours. One second has its own pose and its own
# errors. On renders, with a single frame of another pose as the baseline, AUC is best at 0.4 (+.004), as without one at
# 0.7, and worse at 1 (-.008); real people differ more than renders, and a second in front of one camera is better than
# one frame.
_TRUST = np.float32(0.7)


@dataclass(frozen=True)
class NeutralBaseline:
    """The neutral face of one person.

    Attributes:
        shape: float32 ``(468, 3)``, the face laid on the landmark model's template, template units.
        template_digest: of that template.
        frames: how many frames it is the median of.
        confidence: 0..1, how far to believe it; one that was collected at rest has 1.
    """

    shape: NDArray[np.float32]
    template_digest: str
    frames: int
    confidence: float = 1.0

    def neutral(self, average: NDArray[np.float32], template_digest: str) -> NDArray[np.float32]:
        """What to measure this person's differences from, float32 ``(468, 3)``.

        Args:
            average: neutral face of the model, the mean of many people.
            template_digest: of the model.

        Raises:
            InputError: the baseline was collected with another model.
        """
        if template_digest != self.template_digest:
            raise InputError(
                "this neutral baseline was collected with another landmark model, whose template differs; "
                "collect it again with this one"
            )
        return average + _TRUST * np.float32(self.confidence) * (self.shape - average)

    def save(self, path: Path) -> None:
        """Write a ``.npz`` file, whole or not at all.

        Raises:
            OutputError: the folder cannot be written to.
        """
        content = io.BytesIO()
        np.savez_compressed(
            content,
            shape=self.shape,
            template_digest=np.array(self.template_digest),
            frames=np.array(self.frames),
            confidence=np.array(self.confidence),
        )
        write_whole(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> NeutralBaseline:
        """Read what :meth:`save` wrote (no pickles).

        Raises:
            InputError: the file is missing, damaged, or something else.
        """
        try:
            arrays = read_npz(path, ("shape", "template_digest", "frames"), SMALL)
            shape = arrays["shape"].astype(np.float32)
            digest, frames = str(arrays["template_digest"]), int(arrays["frames"])
            # Files of edgeau 0.1 have none: they were all collected at rest.
            confidence = float(arrays["confidence"]) if "confidence" in arrays else 1.0
        except (NpzError, TypeError, ValueError) as error:  # the latter from arrays that hold something else
            raise InputError(f"{path} is not a neutral baseline ({error}); collect it again") from error
        if shape.shape != (MESH_POINTS, 3) or not np.isfinite(shape).all():
            raise InputError(
                f"{path} is not a neutral baseline: its shape is {shape.shape}; collect it again"
            )
        if not 0 <= confidence <= 1:
            raise InputError(
                f"{path} is not a neutral baseline: its confidence is {confidence}; collect it again"
            )
        return cls(shape, digest, frames, confidence)


class NeutralCollector:
    """Collects one second of a person at rest.

    Used frame by frame until it is done::

        collector = NeutralCollector(model)
        while not collector.done:
            collector.add(landmarks, time_s)
        baseline = collector.baseline()

    Args:
        model: the landmark model that the baseline is for.
        seconds: how long to collect.
    """

    def __init__(self, model: LandmarkModel, seconds: float = 1.0) -> None:
        self._model, self._seconds = model, seconds
        self._shapes: list[NDArray[np.float32]] = []
        self._evidence: list[NDArray[np.float32]] = []
        self._times: list[float] = []

    @property
    def progress(self) -> float:
        """How much of the time is collected, 0..1; 1 also needs five frames."""
        if len(self._times) < 2:
            return 0.0
        by_time = (self._times[-1] - self._times[0]) / self._seconds
        return float(min(by_time, len(self._times) / _FEWEST_FRAMES, 1.0))

    @property
    def done(self) -> bool:
        """Whether enough was collected."""
        return self.progress >= 1

    def add(self, landmarks: NDArray[np.floating[Any]], time_s: float) -> None:
        """One more frame of the same person.

        Args:
            landmarks: ``(468 or 478, 3)``.
            time_s: of the frame, seconds; must not go back.

        Raises:
            InputError: the landmarks have another shape, or the time goes back.
        """
        if self._times and time_s < self._times[-1]:
            raise InputError(
                f"frame time {time_s:.3f} s comes after {self._times[-1]:.3f} s; collect from the start again"
            )
        self._shapes.append(self._model.shape(landmarks))
        # Intensities before they are cut to 0..1: at rest they lie around 0, where a cut would hide half of any motion.
        self._evidence.append((self._model.logits(landmarks) - self._model.shift) / self._model.slope)
        self._times.append(time_s)

    def baseline(self) -> NeutralBaseline:
        """The median face, point by point: a blink within the second does not move it.

        Raises:
            InputError: too little was collected, or the face moved; collect again with a new collector.
        """
        if not self.done:
            raise InputError(
                f"a neutral baseline needs {self._seconds:g} s and {_FEWEST_FRAMES} frames of one face; "
                f"{len(self._times)} frames were collected"
            )
        low, high = np.percentile(np.stack(self._evidence), (25, 75), axis=0)
        moved = int(np.argmax(high - low))
        if high[moved] - low[moved] > _STEADY:
            raise InputError(
                f"the face did not keep still ({self._model.labels[moved]} changed by {high[moved] - low[moved]:.2f}); "
                "look into the camera with a resting face and collect again"
            )
        median: NDArray[np.float32] = np.median(np.stack(self._shapes), axis=0).astype(np.float32)
        return NeutralBaseline(median, self._model.template_digest, len(self._shapes))
