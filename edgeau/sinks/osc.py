"""Results as Open Sound Control messages, for music and stage software.

A frame is one bundle (Open Sound Control 1.0, Wright 2002):

- ``/edgeau/frame``: index (int), time in seconds, age in seconds, number of faces (int), trained (1 or 0).
- ``/edgeau/ID/box``: left, top, width, height in pixels. ID is the track's number, or the face's place in the frame.
- ``/edgeau/ID/pose``: pitch, yaw, roll in degrees.
- ``/edgeau/ID/AU12``: probability 0..1, decision (1 or 0), and where the model gives one intensity 0..1. An AU that could
  not be read sends ``/edgeau/ID/AU12/refused`` with the reason instead, so that no 0 is taken for an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError
from edgeau.results import Face, FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.datagrams import Datagrams
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink

__all__ = ["OscSink"]


class OscSink(Sink):
    """Sends each result to ``osc://HOST:PORT[/PREFIX]``; without a prefix messages are under ``/edgeau``.

    Args:
        address: address of the receiver.
        description: description of the results.

    Raises:
        UsageError: the address lacks something.
        DependencyError: python-osc is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        address.check("osc://HOST:PORT/PREFIX", port=True)
        assert address.port is not None
        try:
            from pythonosc import osc_bundle_builder, osc_message_builder
        except ImportError as error:
            raise DependencyError(
                f"OSC needs the package python-osc; {extra_line('osc')}, or send JSON with udp://"
            ) from error
        self._bundles: Any = osc_bundle_builder
        self._messages: Any = osc_message_builder
        self.name = address.text
        self._prefix = f"/{address.path or 'edgeau'}"
        self._trained = int(description.trained)
        self._datagrams = Datagrams(address.host, address.port)

    def write(self, result: FrameResult) -> None:
        """Send it.

        Raises:
            OutputError: it is too large for a datagram, or there is no way to the receiver.
        """
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        head = (result.index, float(result.time_s), float(result.age_s), len(result.faces), self._trained)
        bundle.add_content(self._message("frame", *head))
        for place, face in enumerate(result.faces):
            number = place if face.track_id is None else face.track_id
            for name, values in _messages(face):
                bundle.add_content(self._message(f"{number}/{name}", *values))
        self._datagrams.send(bundle.build().dgram)

    def close(self) -> None:
        """Release the socket."""
        self._datagrams.close()

    def _message(self, name: str, *values: float | str) -> Any:
        message = self._messages.OscMessageBuilder(f"{self._prefix}/{name}")
        for value in values:
            message.add_arg(value)
        return message.build()


def _messages(face: Face) -> Iterator[tuple[str, tuple[float | str, ...]]]:
    box, pose = face.box, face.pose
    yield "box", tuple(float(value) for value in (box.left, box.top, box.width, box.height))
    if pose is not None:
        yield "pose", (float(pose.pitch), float(pose.yaw), float(pose.roll))
    for label, unit in face.aus.items():
        if unit.probability is None:
            yield f"{label}/refused", (unit.reason or "",)
            continue
        strength = () if unit.intensity is None else (float(unit.intensity),)
        yield label, (float(unit.probability), int(bool(unit.active)), *strength)
