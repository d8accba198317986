"""Facial action units on small computers.

::

    from edgeau import Pipeline, open_source

    with Pipeline.load() as pipeline, open_source("clip") as source:
        for result in pipeline.stream(source):
            for face in result.faces:
                print(result.index, face.track_id, face.aus["AU12"].probability)

Public is what ``edgeau.__all__`` lists, and of its classes what has no underscore; everything else may change in any release.
"""

from typing import TYPE_CHECKING, Any

from edgeau._system.named_object import named_object
from edgeau._system.version import VERSION

if TYPE_CHECKING:  # at run time _HOMES imports them
    from edgeau.action_units.network import AUDetector, Detections
    from edgeau.action_units.neutral_baseline import NeutralBaseline
    from edgeau.action_units.neutral_collector import NeutralCollector
    from edgeau.annotation import Annotator
    from edgeau.bundle import Bundle, SignaturePolicy, load_bundle
    from edgeau.errors import (
        BundleError,
        CalibrationError,
        CheckpointError,
        ConversionError,
        DependencyError,
        EdgeauError,
        EngineError,
        GateRefusedError,
        InputError,
        NpzError,
        OutputError,
        RecordError,
        TargetError,
        UsageError,
        UserError,
    )
    from edgeau.faces.quality import Limits
    from edgeau.live import LiveCounters, LiveOptions, LivePipeline, View
    from edgeau.pipeline import Pipeline
    from edgeau.results import ActionUnit, Box, EyeDirection, Face, FaceQuality, FrameResult, HeadPose
    from edgeau.sinks import open_sink
    from edgeau.sources import Frame, Source, open_source
    from edgeau.temporal.events import Event, EventDetector
    from edgeau.temporal.hysteresis import Hysteresis
    from edgeau.temporal.running_baseline import RunningBaselines
    from edgeau.temporal.smoothing import Ema, OneEuro, Smoother
    from edgeau.temporal.track_states import ResultFilter

__version__ = VERSION

__all__ = [
    "AUDetector",
    "ActionUnit",
    "Annotator",
    "Box",
    "Bundle",
    "BundleError",
    "CalibrationError",
    "CheckpointError",
    "ConversionError",
    "DependencyError",
    "Detections",
    "EdgeauError",
    "Ema",
    "EngineError",
    "Event",
    "EventDetector",
    "EyeDirection",
    "Face",
    "FaceQuality",
    "Frame",
    "FrameResult",
    "GateRefusedError",
    "HeadPose",
    "Hysteresis",
    "InputError",
    "Limits",
    "LiveCounters",
    "LiveOptions",
    "LivePipeline",
    "NeutralBaseline",
    "NeutralCollector",
    "NpzError",
    "OneEuro",
    "OutputError",
    "Pipeline",
    "RecordError",
    "ResultFilter",
    "RunningBaselines",
    "SignaturePolicy",
    "Smoother",
    "Source",
    "TargetError",
    "UsageError",
    "UserError",
    "View",
    "load_bundle",
    "open_sink",
    "open_source",
]

# Imported on use, so that edgeau-doctor can still say what is wrong where numpy or OpenCV cannot be imported.
_HOMES = {
    "edgeau.action_units.network": ("AUDetector", "Detections"),
    "edgeau.action_units.neutral_baseline": ("NeutralBaseline",),
    "edgeau.action_units.neutral_collector": ("NeutralCollector",),
    "edgeau.annotation": ("Annotator",),
    "edgeau.bundle": ("Bundle", "SignaturePolicy", "load_bundle"),
    "edgeau.errors": (
        "BundleError",
        "CalibrationError",
        "CheckpointError",
        "ConversionError",
        "DependencyError",
        "EdgeauError",
        "EngineError",
        "GateRefusedError",
        "InputError",
        "NpzError",
        "OutputError",
        "RecordError",
        "TargetError",
        "UsageError",
        "UserError",
    ),
    "edgeau.faces.quality": ("Limits",),
    "edgeau.live": ("LiveCounters", "LiveOptions", "LivePipeline", "View"),
    "edgeau.pipeline": ("Pipeline",),
    "edgeau.results": ("ActionUnit", "Box", "EyeDirection", "Face", "FaceQuality", "FrameResult", "HeadPose"),
    "edgeau.sinks": ("open_sink",),
    "edgeau.sources": ("Frame", "Source", "open_source"),
    "edgeau.temporal.events": ("Event", "EventDetector"),
    "edgeau.temporal.hysteresis": ("Hysteresis",),
    "edgeau.temporal.track_states": ("ResultFilter",),
    "edgeau.temporal.running_baseline": ("RunningBaselines",),
    "edgeau.temporal.smoothing": ("Ema", "OneEuro", "Smoother"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return named_object(f"{home}:{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
