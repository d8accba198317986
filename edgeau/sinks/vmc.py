"""Results as VMC messages (Virtual Motion Capture protocol, over OSC), which avatar programs read.

A frame is one bundle:

- ``/VMC/Ext/OK`` 1; ``/VMC/Ext/T`` seconds.
- ``/VMC/Ext/Bone/Pos`` "Head", place (0, 0, 0), rotation as a quaternion x y z w in Unity's axes: x to the avatar's right, y up, z ahead.
- ``/VMC/Ext/Blend/Val`` name and weight 0..1 of each shape, then ``/VMC/Ext/Blend/Apply``.

Shapes are Apple's 52, of the largest face: from its AUs (:mod:`edgeau.sinks.arkit_shapes`), or MediaPipe's blendshapes when asked. Without a face only the first two are sent.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, UsageError
from edgeau.faces.landmarks.litert.blendshapes import Blendshapes
from edgeau.results import Face, FrameResult, HeadPose
from edgeau.sinks.address import Address
from edgeau.sinks.arkit_shapes import face_shapes
from edgeau.sinks.datagrams import Datagrams
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink

__all__ = ["VmcSink"]

_log = logging.getLogger(__name__)

_FORM = "vmc://HOST:39539?names=arkit&shapes=aus"
_PORT = 39539  # the protocol's own
_NAMES = ("arkit", "perfect-sync")
_AUS = "aus"


class VmcSink(Sink):
    """Sends each result to ``vmc://HOST[:PORT]``; port 39539 unless another is given.

    ``names=arkit`` (default) spells shapes as Apple does (``mouthSmileLeft``), ``names=perfect-sync`` as VRM avatars for
    "Perfect Sync" do (``MouthSmileLeft``). ``shapes=aus`` (default) makes them from AUs; ``shapes=blendshapes`` asks MediaPipe's
    blendshape network, which a ``face_landmarker.task`` of this machine carries, and ``shapes=FILE`` that of a file.

    Args:
        address: address of the receiver.
        description: description of the results; nothing of it is sent.

    Raises:
        UsageError: the address lacks something.
        InputError: blendshapes were asked for, and there are none.
        DependencyError: python-osc is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        del description
        address.check(_FORM, "names", "shapes", path=None)
        try:
            from pythonosc import osc_bundle_builder, osc_message_builder
        except ImportError as error:
            raise DependencyError(f"VMC needs the package python-osc; {extra_line('osc')}") from error
        names = address.options.get("names", _NAMES[0])
        if names not in _NAMES:
            raise UsageError(f"{address.text!r}: names must be {' or '.join(_NAMES)}, got {names!r}")
        self._bundles: Any = osc_bundle_builder
        self._messages: Any = osc_message_builder
        self._first_large = names == "perfect-sync"
        self.name = address.text
        shapes = address.options.get("shapes", _AUS)
        place = None if shapes == "blendshapes" else Path(shapes)
        self._blendshapes = None if shapes == _AUS else Blendshapes(place)
        _log.info(
            "%s: shapes come from %s", self.name, "AUs" if shapes == _AUS else "MediaPipe's blendshapes"
        )
        self._datagrams = Datagrams(address.host, address.port or _PORT)

    def write(self, result: FrameResult) -> None:
        """Send it.

        Raises:
            OutputError: there is no way to the receiver.
        """
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        self._add(bundle, "OK", 1)
        self._add(bundle, "T", float(result.time_s))
        face = result.largest_face
        if face is not None:
            if face.pose is not None:
                self._add(bundle, "Bone/Pos", "Head", 0.0, 0.0, 0.0, *head_rotation(face.pose))
            for shape, weight in self._shapes(face).items():
                self._add(
                    bundle, "Blend/Val", shape[0].upper() + shape[1:] if self._first_large else shape, weight
                )
            self._add(bundle, "Blend/Apply")
        self._datagrams.send(bundle.build().dgram)

    def close(self) -> None:
        """Release the socket."""
        self._datagrams.close()

    def _shapes(self, face: Face) -> dict[str, float]:
        return face_shapes(face) if self._blendshapes is None else self._blendshapes.of(face.landmarks)

    def _add(self, bundle: Any, name: str, *values: float | str) -> None:
        message = self._messages.OscMessageBuilder(f"/VMC/Ext/{name}")
        for value in values:
            message.add_arg(value)
        bundle.add_content(message.build())


def head_rotation(pose: HeadPose) -> tuple[float, float, float, float]:
    """Rotation of an avatar's head as a unit quaternion x y z w in Unity's axes (left-handed; the avatar looks along z).

    The avatar does what the person does: a person who turns towards the right of the picture turns to their own left, which is a
    negative angle about y; looking up is a negative one about x; a tilt clockwise in the picture is a positive one about z.
    """
    x, y, z = (math.radians(angle) / 2 for angle in (-pose.pitch, -pose.yaw, pose.roll))
    about_x = (math.sin(x), 0.0, 0.0, math.cos(x))
    about_y = (0.0, math.sin(y), 0.0, math.cos(y))
    about_z = (0.0, 0.0, math.sin(z), math.cos(z))
    # Roll after pitch after yaw, as the pose's angles were taken.
    return _product(about_z, _product(about_x, about_y))


def _product(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The rotation ``b`` and then ``a``."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
