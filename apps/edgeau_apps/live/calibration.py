"""The neutral face of whoever sits in front: one second at rest, then measured from it, also after another artifact was taken."""

from __future__ import annotations

from edgeau import Pipeline
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.action_units.neutral_collector import NeutralCollector
from edgeau.errors import InputError
from edgeau.results import Box, FrameResult

__all__ = ["BaselineCalibration", "CalibratedFace"]

_PATIENCE_S = 10.0
# Share of two boxes' area that both cover: somebody who moved while the artifact changed, for a second at most. Ours.
_SAME_PLACE = 0.3


class CalibratedFace:
    """Somebody's neutral face, and where they are.

    Every stream numbers faces anew, so that after a change of artifact they are looked for where they were.

    Args:
        baseline: their neutral face.
        track_id: their number in the stream that runs.
        box: where they are, pixels.
    """

    def __init__(self, baseline: NeutralBaseline, track_id: int | None, box: Box) -> None:
        self._baseline, self._track_id, self._box = baseline, track_id, box
        self._is_sought = False
        self._begin_s: float | None = None

    def begin_stream(self) -> None:
        """Go on with another stream of the same camera."""
        self._is_sought, self._begin_s = True, None

    def take(self, result: FrameResult, pipeline: Pipeline) -> str:
        """One more result, by whose faces they are followed and found again.

        Returns:
            For people, what is new: found, and then the pipeline has the baseline, or given up; "" where nothing is.
        """
        if not self._is_sought:
            self._box = next((one.box for one in result.faces if one.track_id == self._track_id), self._box)
            return ""
        self._begin_s = result.time_s if self._begin_s is None else self._begin_s
        best = max(result.faces, key=lambda one: _shared(one.box, self._box), default=None)
        if best is not None and _shared(best.box, self._box) >= _SAME_PLACE:
            self._track_id, self._box, self._is_sought = best.track_id, best.box, False
            try:
                pipeline.use_baseline(self._baseline, best.track_id)
            except InputError as error:  # the bundle's folder holds other weights by now
                return str(error)
            return "the neutral face is kept"
        if result.time_s - self._begin_s > _PATIENCE_S:
            self._is_sought = False
            return "whoever was calibrated is not where they were: calibrate again"
        return ""


def _shared(one: Box, other: Box) -> float:
    """Area that both boxes cover to the area that either does, 0..1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    both = max(width, 0.0) * max(height, 0.0)
    either = one.width * one.height + other.width * other.height - both
    return both / either if either > 0 else 0.0


class BaselineCalibration:
    """Collects from the largest face, and gives its baseline to the pipeline.

    Args:
        pipeline: with a landmark model.

    Raises:
        InputError: it has none.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        model = pipeline.landmark_model
        if model is None:
            raise InputError("this bundle has no landmark model, which a neutral face is for")
        self._pipeline = pipeline
        self._collector = NeutralCollector(model, network=pipeline.bundle.network_identity)
        self._start_s: float | None = None
        self.progress = 0.0
        self.face: CalibratedFace | None = None
        self.said = "look into the camera with a resting face"

    def take(self, result: FrameResult) -> bool:
        """One more result; True when the calibration has ended, well or not: :attr:`said` tells."""
        self._start_s = result.time_s if self._start_s is None else self._start_s
        face = result.largest_face
        if face is None:
            if result.time_s - self._start_s > _PATIENCE_S:
                self.said = "no face was seen: calibrate again"
                return True
            return False
        try:
            self._collector.add(face.landmarks, result.time_s, face.network_logits)
            self.progress = self._collector.progress
            if not self._collector.done:
                return False
            baseline = self._collector.baseline()
            self._pipeline.use_baseline(baseline, face.track_id)
        except InputError as error:
            self.said = str(error)
            return True
        self.face = CalibratedFace(baseline, face.track_id, face.box)
        self.said = "the neutral face is set"
        return True
