"""Results as Lab Streaming Layer streams, which laboratories record beside EEG, gaze and markers.

Two outlets:

- NAME, type ``AU``, irregular rate, float32: for each face slot ``id`` (track, NaN without a face), ``pitch``, ``yaw``, ``roll`` (degrees) and
  the probability 0..1 of each AU; NaN where it cannot be read, which is not 0.
- NAME-events, type ``Markers``, one string a sample: ``AU12 onset 3`` or ``AU12 offset 3``, the last word being the track.

A sample's time is the capture of its frame on LSL's clock, not when it was sent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from edgeau._system.install_lines import extra_line
from edgeau.action_units.names import facs_name
from edgeau.errors import DependencyError, UsageError
from edgeau.results import Face, FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink
from edgeau.temporal.events import EventDetector

__all__ = ["LslSink"]

_FORM = "lsl:// or lsl://?name=NAME&id=ID&faces=N"
_ABOUT_FACE = (("id", "number"), ("pitch", "degrees"), ("yaw", "degrees"), ("roll", "degrees"))
_MOST_FACES = 8


class LslSink(Sink):
    """Offers each result on the local network as ``lsl://?name=NAME``.

    Options: ``name`` (``edgeau``); ``id``, under which recorders find the stream again after a restart (the name); ``faces``, how many
    face slots a sample has (1). A face keeps its slot while its track lives; a free slot goes to the largest face without one.

    Args:
        address: name and options.
        description: description of the results.

    Raises:
        UsageError: the address does not fit.
        DependencyError: pylsl, or the library that it loads, is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        address.check(_FORM, "name", "id", "faces", host=None, port=None, path=None)
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:  # RuntimeError: pylsl is there and finds no liblsl
            raise DependencyError(
                f"LSL needs the package pylsl and liblsl ({error}); {extra_line('lsl')}"
            ) from error
        self.name = address.text
        self._slots: list[int | None] = [None] * address.whole_number("faces", 1, 1, _MOST_FACES)
        self._labels = description.labels
        self._events = EventDetector()
        self._clock: Any = pylsl.local_clock
        name = address.options.get("name", "edgeau")
        if not name:
            raise UsageError(f"{address.text!r}: name must not be empty")
        source = address.options.get("id", name)
        self._outlet: Any = pylsl.StreamOutlet(self._information(pylsl, name, source, description))
        marks = pylsl.StreamInfo(
            f"{name}-events", "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"{source}-events"
        )
        self._markers: Any = pylsl.StreamOutlet(marks)

    def write(self, result: FrameResult) -> None:
        """Send one sample, and a marker for each event."""
        captured = self._captured(result)
        self._assign(result)
        faces = {face.track_id: face for face in result.faces}
        sample = [
            value
            for slot in self._slots
            for value in self._values(faces.get(slot) if slot is not None else None)
        ]
        self._outlet.push_sample(sample, captured)
        for event in self._events.update(result):
            # An event is told late, and stamped with when it happened.
            self._markers.push_sample(
                [f"{event.label} {event.kind} {event.track_id}"], captured - (result.time_s - event.time_s)
            )

    def close(self) -> None:
        """Take both streams off the network."""
        # An outlet ends when it is let go of; pylsl has no call for it.
        self._outlet = self._markers = None

    def _captured(self, result: FrameResult) -> float:
        if result.captured_s is None:
            return float(self._clock()) - result.age_s
        return float(self._clock()) - (time.monotonic() - result.captured_s)

    def _assign(self, result: FrameResult) -> None:
        here = {face.track_id for face in result.faces}
        self._slots = [slot if slot in here else None for slot in self._slots]
        waiting = sorted(
            (face for face in result.faces if face.track_id is not None and face.track_id not in self._slots),
            key=lambda face: face.box.width * face.box.height,
        )
        for place, slot in enumerate(self._slots):
            if slot is None and waiting:
                self._slots[place] = waiting.pop().track_id

    def _values(self, face: Face | None) -> Iterator[float]:
        if face is None or face.track_id is None:
            yield from [math.nan] * (len(_ABOUT_FACE) + len(self._labels))
            return
        yield float(face.track_id)
        pose = face.pose
        yield from (math.nan,) * 3 if pose is None else (pose.pitch, pose.yaw, pose.roll)
        for label in self._labels:
            unit = face.aus.get(label)
            yield math.nan if unit is None or unit.probability is None else float(unit.probability)

    def _information(self, pylsl: Any, name: str, source: str, description: Description) -> Any:
        channels = len(self._slots) * (len(_ABOUT_FACE) + len(self._labels))
        information = pylsl.StreamInfo(name, "AU", channels, pylsl.IRREGULAR_RATE, pylsl.cf_float32, source)
        about = information.desc()
        about.append_child_value("manufacturer", "edgeau")
        about.append_child_value(
            "trained", "yes" if description.trained else "no: these numbers mean nothing"
        )
        listed = about.append_child("channels")
        for slot in range(1, len(self._slots) + 1):
            prefix = "" if len(self._slots) == 1 else f"face{slot}."
            for label, unit, kind in (
                *((label, unit, "Face") for label, unit in _ABOUT_FACE),
                *((label, "probability", "AU") for label in self._labels),
            ):
                channel = listed.append_child("channel")
                channel.append_child_value("label", prefix + label)
                channel.append_child_value("unit", unit)
                channel.append_child_value("type", kind)
                if kind == "AU":
                    channel.append_child_value("description", facs_name(label))
        return information
