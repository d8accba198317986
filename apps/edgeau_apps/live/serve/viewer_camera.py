"""The viewer's own camera as a source: JPEG pictures that come over a WebSocket, the newest first."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.sources import Frame, Source
from edgeau.sources.picture_file import decoded_picture
from edgeau.sources.picture_header import read_picture_header

__all__ = ["MOST_BYTES", "ViewerCamera", "decoded"]

MOST_BYTES = 600_000
_MOST_PIXELS = 1920 * 1080


class ViewerCamera:
    """One viewer's pictures, of which the newest waits: one stream after another may follow them, as an artifact is changed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[NDArray[np.uint8], float] | None = None
        self._ended = False

    def give(self, image: NDArray[np.uint8]) -> None:
        """Leave a picture, which replaces one that still waits.

        Args:
            image: uint8 ``(height, width, 3)``, BGR.
        """
        with self._changed:
            self._newest = (image, time.monotonic())
            self._changed.notify_all()

    def end(self) -> None:
        """The viewer has gone: streams end."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def open(self) -> Source:
        """Open a source of the pictures that come from now on."""
        return _Pictures(self)


class _Pictures(Source):
    """A viewer's camera in one stream; closing it leaves the camera to the next one."""

    live = True
    name = "the viewer's camera"

    def __init__(self, camera: ViewerCamera) -> None:
        self._camera = camera
        self._stopped = False

    def __iter__(self) -> Iterator[Frame]:
        first_s: float | None = None
        index = 0
        while (taken := self._next()) is not None:
            image, taken_s = taken
            first_s = taken_s if first_s is None else first_s
            yield Frame(index, taken_s - first_s, image, f"{self.name} {index}", captured_s=taken_s)
            index += 1

    def _next(self) -> tuple[NDArray[np.uint8], float] | None:
        """The next picture, and when it came; None at the end."""
        camera = self._camera
        with camera._changed:
            camera._changed.wait_for(lambda: camera._newest is not None or camera._ended or self._stopped)
            if camera._ended or self._stopped:
                return None
            taken, camera._newest = camera._newest, None
            return taken

    def stop(self) -> None:
        """End the iterator."""
        with self._camera._changed:
            self._stopped = True
            self._camera._changed.notify_all()

    def close(self) -> None:
        """Do the same as :meth:`stop`."""
        self.stop()


def decoded(content: bytes) -> NDArray[np.uint8]:
    """A JPEG as uint8 ``(height, width, 3)``, BGR.

    Raises:
        InputError: it is none, or larger than a camera's picture; the size is read before anything is unpacked.
    """
    header = read_picture_header(content)
    if header is None or header.kind != "JPEG":
        raise InputError("the picture is not a JPEG")
    if not 0 < header.width * header.height <= _MOST_PIXELS:
        raise InputError(f"a picture of {header.width} x {header.height} pixels is too large, or damaged")
    return decoded_picture(content, "the picture")
