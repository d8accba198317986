"""Facial action units on small computers.

::

    from edgeau import Pipeline, open_source

    with Pipeline.load() as pipeline, open_source("clip") as source:
        for result in pipeline.stream(source):
            for face in result.faces:
                print(result.index, face.track_id, face.aus["AU12"].probability)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgeau._system.version import VERSION

if TYPE_CHECKING:
    from edgeau.action_units.network import AUDetector, Detections
    from edgeau.bundle import Bundle, load_bundle
    from edgeau.errors import EdgeauError, GateRefusedError, UserError
    from edgeau.pipeline import Pipeline
    from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
    from edgeau.sinks import open_sink
    from edgeau.sources import Frame, Source, open_source

__version__ = VERSION

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

# Imported on use, so that edgeau-doctor can still say what is wrong where numpy or OpenCV cannot be imported.
_HOMES = {
    "edgeau.bundle": ("Bundle", "load_bundle"),
    "edgeau.action_units.network": ("AUDetector", "Detections"),
    "edgeau.errors": ("EdgeauError", "GateRefusedError", "UserError"),
    "edgeau.pipeline": ("Pipeline",),
    "edgeau.results": ("ActionUnit", "Box", "Face", "FrameResult", "HeadPose"),
    "edgeau.sinks": ("open_sink",),
    "edgeau.sources": ("Frame", "Source", "open_source"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
