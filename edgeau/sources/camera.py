"""A camera by its number as a source."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from edgeau.errors import InputError
from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CameraSource"]


class CameraSource(Source):
    """A camera that OpenCV can open by number: a USB camera, or the one in a laptop.

    ``time_s`` counts from the first frame, on the machine's steady clock.

    Raises:
        InputError: no camera answers; and from the iterator when it stops delivering.
    """

    live = True

    def __init__(self, index: int) -> None:
        self.name = f"camera {index}"
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise InputError(f"no camera answers at number {index}; {_devices()}")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if fps > 0 else None

    def __iter__(self) -> Iterator[Frame]:
        index, start = 0, None
        while True:
            ok, image = self._capture.read()
            now = time.monotonic()
            if not ok:
                raise InputError(
                    f"{self.name} stopped delivering after {index} frames; is it still plugged in?"
                )
            start = now if start is None else start
            yield Frame(index, now - start, image, f"{self.name} frame {index}")  # type: ignore[arg-type]
            index += 1

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def _devices() -> str:
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    return f"this machine has {', '.join(found)}" if found else "this machine has no /dev/video*: plug one in"
