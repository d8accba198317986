"""The neutral face of whoever sits in front: one second at rest, then measured from it."""

from __future__ import annotations

from edgeau import Pipeline
from edgeau.action_units.neutral_collector import NeutralCollector
from edgeau.errors import InputError
from edgeau.results import FrameResult

__all__ = ["BaselineCalibration"]

_PATIENCE_S = 10.0


class BaselineCalibration:
    """Collects from the largest face, and gives its baseline to the pipeline.

    Args:
        pipeline: with a landmark model.
        start_s: time of the newest result, seconds.
    """

    def __init__(self, pipeline: Pipeline, start_s: float) -> None:
        model = pipeline.landmark_model
        if model is None:
            raise InputError("this bundle has no landmark model, which a neutral face is for")
        self._pipeline = pipeline
        self._collector = NeutralCollector(model, network=pipeline.bundle.manifest.network.name)
        self._start_s = start_s
        self.progress = 0.0
        self.said = "look into the camera with a resting face"

    def take(self, result: FrameResult) -> bool:
        """One more result; True when the calibration has ended, well or not: :attr:`said` tells."""
        if not result.faces:
            if result.time_s - self._start_s > _PATIENCE_S:
                self.said = "no face was seen: calibrate again"
                return True
            return False
        face = max(result.faces, key=lambda one: one.box.width * one.box.height)
        try:
            self._collector.add(face.landmarks, result.time_s, face.network_logits)
            self.progress = self._collector.progress
            if not self._collector.done:
                return False
            self._pipeline.use_baseline(self._collector.baseline(), face.track_id)
        except InputError as error:
            self.said = str(error)
            return True
        self.said = "the neutral face is set"
        return True
