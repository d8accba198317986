"""A camera on the network as a source: RTSP, or HTTP with one JPEG after the other."""

from __future__ import annotations

import cv2

from edgeau._system.address_text import check_address, quote_user, without_secrets
from edgeau._system.install_lines import LINES
from edgeau.errors import InputError
from edgeau.sources.capture import CaptureSource

__all__ = ["SCHEMES", "NetworkStream", "stream_name"]

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "udp", "tcp")
# How long a server may take to answer, and a stream to give its next frame, milliseconds. Ours.
_OPEN_MS, _READ_MS = 5000, 5000


class NetworkStream(CaptureSource):
    """The frames of a stream's address, as they arrive.

    Args:
        address: the user's name and password may have any characters; such as ``rtsp://user:password@camera.local/stream`` or ``http://camera.local/video.mjpg``.

    Raises:
        InputError: nothing answers there, or it is a recording; and from the iterator when it stops delivering.
    """

    def __init__(self, address: str) -> None:
        name = stream_name(address)
        why = check_address(address)
        if why is not None:
            raise InputError(f"{name} is not an address: {why}; one is rtsp://USER:PASSWORD@HOST:PORT/PATH")
        if not cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
            raise InputError(
                f"{name} needs an OpenCV with FFmpeg; the one from pip has it: {LINES['opencv']}"
            )
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
        capture = cv2.VideoCapture(quote_user(address), cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise InputError(
                f"no stream answers at {name}; check the address, the user's name and password in it, "
                "and that this machine reaches that one"
            )
        if capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            capture.release()
            raise InputError(f"{name} is a recording and no live stream; download it and give the file")
        super().__init__(name, capture)


def stream_name(address: str) -> str:
    """An address for people: without user, password and the part after the question mark."""
    return without_secrets(address).replace("...@", "", 1).partition("?")[0]
