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
                ready = self._changed.wait_for(lambda: self._newest is not None or self._ended, _SILENCE_S)
                if self._ended or not ready:
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
        """Do the same as :meth:`stop`."""
        self.stop()


def decoded(content: bytes) -> NDArray[np.uint8]:
    """A JPEG as BGR.

    Raises:
        InputError: it is none, or larger than a camera's picture; the size is read before anything is unpacked.
    """
    header = read_picture_header(content)
    if header is None or header.kind != "JPEG":
        raise InputError("the picture is not a JPEG")
    if not 0 < header.width * header.height <= _MOST_PIXELS:
        raise InputError(f"a picture of {header.width} x {header.height} pixels is too large, or damaged")
    return decoded_picture(content, "the picture")
