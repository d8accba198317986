"""A person's neutral face, estimated while the stream runs: nobody has to sit still for it.

People are at rest more often than in any one expression. A few shapes a second of each face are kept; the neutral face is
the median of the half of them that lies nearest to the median of all (a concentration step of least trimmed squares,
Rousseeuw & Van Driessen, Computational Statistics & Data Analysis 2006), so that expressions that fill up to half of the
time move it little. It only looks back. A person who holds one expression for most of the time is taken for having that
face: where that happens, collect the baseline at rest (:class:`~edgeau.action_units.neutral_baseline.NeutralCollector`).
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.errors import BundleError
from edgeau.results import Face
from edgeau.temporal.track_states import PerTrackFilter

__all__ = ["BaselineReceiver", "RunningBaseline", "RunningBaselines"]

# Ours, all of them.
_EVERY_S = 0.5  # between shapes that are kept: landmark jitter is over, expressions are caught
_SHAPES = 60  # half a minute at most is remembered
_FEWEST = 6
_ENOUGH = 40  # 20 seconds: from here on more time does not raise the confidence
# It is never known that the person was at rest. With 0.6 the measure goes 0.42 of the way to this neutral face, where
# renders of single frames say that most is won (edgeau/action_units/neutral_baseline.py).
_MOST = 0.6
_AT_REST = (
    0.3  # of intensity to either side: landmark jitter and slow head motion of a face without expression
)
# The mesh's shape is biased where the head is turned, by more than faces differ at rest.
_FRONTAL_DEGREES = 20.0


class RunningBaseline:
    """The neutral face of one person.

    Args:
        model: the landmark model that the baseline is for.
    """

    def __init__(self, model: LandmarkModel) -> None:
        self._model = model
        self._shapes: deque[NDArray[np.float32]] = deque(maxlen=_SHAPES)
        self._last_s: float | None = None
        self._baseline: NeutralBaseline | None = None

    @property
    def baseline(self) -> NeutralBaseline | None:
        """The estimate so far, to be used or saved; None while too little was seen."""
        return self._baseline

    @property
    def confidence(self) -> float:
        """Confidence of the estimate, 0..0.6: grows over twenty seconds, less where the shapes at rest do not agree."""
        return 0.0 if self._baseline is None else self._baseline.confidence

    def add(self, landmarks: NDArray[np.float32], time_s: float) -> bool:
        """One more frame; True when the estimate changed.

        Args:
            landmarks: ``(468 or 478, 3)`` of a face that looks into the camera.
            time_s: time of the frame, seconds.
        """
        if self._last_s is not None and 0 <= time_s - self._last_s < _EVERY_S:
            return False
        self._last_s = time_s
        self._shapes.append(self._model.shape(landmarks))
        if len(self._shapes) < _FEWEST:
            return False
        shape, agreement = self._estimate()
        enough = min(len(self._shapes) / _ENOUGH, 1.0)
        self._baseline = NeutralBaseline(
            shape, self._model.template_digest, len(self._shapes), confidence=_MOST * enough * agreement
        )
        return True

    def _estimate(self) -> tuple[NDArray[np.float32], float]:
        """The neutral shape, and the share of the nearest half that lies within the jitter of a face at rest."""
        shapes = np.stack(self._shapes)
        half = len(shapes) // 2 + 1
        strength = self._strengths(shapes)
        distance = np.abs(strength - np.median(strength, axis=0)).max(axis=1)
        nearest = np.argpartition(distance, half - 1)[:half]
        neutral: NDArray[np.float32] = np.median(shapes[nearest], axis=0).astype(np.float32)
        spread = np.abs(strength[nearest] - np.median(strength[nearest], axis=0)).max(axis=1)
        return neutral, float((spread <= _AT_REST).mean())

    def _strengths(self, shapes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Expressions of shapes as the model measures them, float32 ``(N, C)``: what a distance should count."""
        weights = self._model.weights.reshape(len(self._model.labels), -1)
        strengths: NDArray[np.float32] = shapes.reshape(len(shapes), -1) @ weights.T
        return strengths


class BaselineReceiver(Protocol):
    """The part of a :class:`edgeau.Pipeline` that running baselines use; the filters lie below the pipeline."""

    @property
    def landmark_model(self) -> LandmarkModel | None:
        """The model that baselines are measured with; None where the bundle has none."""

    def use_baseline(self, baseline: NeutralBaseline | None, track_id: int | None = None) -> None:
        """Use a track's neutral face, or none, from the next answer on."""


class RunningBaselines(PerTrackFilter[RunningBaseline]):
    """A running baseline for every track; a filter that gives them to its pipeline as they grow.

    Args:
        pipeline: with a landmark model; gets each person's baseline by
            :meth:`~edgeau.pipeline.Pipeline.use_baseline`.

    Raises:
        BundleError: the pipeline's bundle has no landmark model, so that there is nothing a baseline would be for.
    """

    def __init__(self, pipeline: BaselineReceiver) -> None:
        model = pipeline.landmark_model
        if model is None:
            raise BundleError(
                "a neutral baseline is for the landmark model, and this bundle has none; export it with one"
            )
        super().__init__(lambda: RunningBaseline(model))
        self._pipeline = pipeline
        self._frozen = False

    def of(self, track_id: int) -> NeutralBaseline | None:
        """The baseline of a track that is there, to be looked at or saved; None while there is none."""
        running = self._tracks.get(track_id)
        return None if running is None else running.baseline

    def freeze(self, *, frozen: bool = True) -> None:
        """Keep all baselines as they are, or let them follow again: for an experiment after a warm-up."""
        self._frozen = frozen

    def _face(self, face: Face, time_s: float, state: RunningBaseline) -> Face:
        """The same face; what was learnt from it holds from the next answer on."""
        if not self._frozen and _frontal(face) and state.add(face.landmarks, time_s):
            self._pipeline.use_baseline(state.baseline, face.track_id)
        return face

    def _forget(self, track_id: int) -> None:
        self._pipeline.use_baseline(None, track_id)


def _frontal(face: Face) -> bool:
    """Tell whether the shape can be trusted: the head is hardly turned, and nothing of the face is refused."""
    if face.quality is not None and face.quality.refused:
        return False
    pose = face.pose
    return pose is not None and max(abs(pose.yaw), abs(pose.pitch)) <= _FRONTAL_DEGREES
