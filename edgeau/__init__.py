"""Facial action units on small computers.

::

    from edgeau import Pipeline, open_source

    with Pipeline.load() as pipeline, open_source("clip") as source:
        for result in pipeline.stream(source):
            for face in result.faces:
                print(result.index, face.track_id, face.aus["AU12"].probability)
"""

__version__ = "0.1.0"

from edgeau.bundle import Bundle, load_bundle
from edgeau.detector import AUDetector, Detections
from edgeau.errors import EdgeauError, GateRefusedError, UserError
from edgeau.pipeline import Pipeline
from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
from edgeau.sinks import open_sink
from edgeau.sources import Frame, Source, open_source

__all__ = [
    "AUDetector",
    "ActionUnit",
    "Box",
    "Bundle",
    "Detections",
    "EdgeauError",
    "Face",
    "Frame",
    "FrameResult",
    "GateRefusedError",
    "HeadPose",
    "Pipeline",
    "Source",
    "UserError",
    "load_bundle",
    "open_sink",
    "open_source",
]
