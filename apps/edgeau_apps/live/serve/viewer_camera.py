"""The viewer's own camera as a source: JPEG pictures that come over a WebSocket, the newest first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources import Frame, Source

__all__ = ["MOST_BYTES", "ViewerCamera", "decoded"]

MOST_BYTES = 600_000
_MOST_PIXELS = 1920 * 1080
_SILENCE_S = 5.0


class ViewerCamera(Source):
    """Holds one picture: a newer one replaces it."""

    live = True
    name = "the viewer's camera"

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[NDArray[np.uint8], float] | None = None
        self._ended = False

    def give(self, image: NDArray[np.uint8]) -> None:
        """One picture, BGR."""
        with self._changed:
            self._newest = (image, time.monotonic())
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Frame]:
        index, start_s = 0, time.monotonic()
        while True:
            with self._changed:
                came = self._changed.wait_for(lambda: self._newest is not None or self._ended, _SILENCE_S)
                if self._ended or not came:
                    return
                assert self._newest is not None
                (image, taken_s), self._newest = self._newest, None
            yield Frame(index, taken_s - start_s, image, f"{self.name} {index}", captured_s=taken_s)
            index += 1

    def stop(self) -> None:
        """End the iterator."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """As :meth:`stop`."""
        self.stop()


def decoded(content: bytes) -> NDArray[np.uint8]:
    """A JPEG as BGR.

    Raises:
        InputError: it is none, or larger than a camera's picture; the size is read before anything is unpacked.
    """
    width, height = _jpeg_size(content)
    if not 0 < width * height <= _MOST_PIXELS:
        raise InputError(f"a picture of {width} x {height} pixels is too large")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("the picture is damaged")
    return np.asarray(image, np.uint8)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height from the frame header (ITU-T T.81, B.2.2)."""
    if content[:2] != b"\xff\xd8":
        raise InputError("the picture is no JPEG")
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(
                content[at + 5 : at + 7], "big"
            )
        at += 2 + length
    raise InputError("the picture is damaged")
