"""A live source behind ``cv2.VideoCapture``."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np

from edgeau.errors import InputError
from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

__all__ = ["CaptureSource"]

# How long closing waits for a read that does not return, seconds; the reader then releases the camera itself.
_PATIENCE_S = 0.4
# A driver's time of a frame is believed when it lies so many seconds back at most.
_OLDEST_S = 5.0


class CaptureSource(Source):
    """The frames of an open capture.

    ``time_s`` counts from the first frame, on the machine's steady clock.

    Args:
        name: for people.
        capture: open.

    Raises:
        InputError: from the iterator, when it stops delivering.
    """

    live = True

    def __init__(self, name: str, capture: cv2.VideoCapture) -> None:
        self.name = name
        self._capture = capture
        self._stopped = threading.Event()
        self._reading = threading.Lock()
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps < 1e3 else None
        # Only Video4Linux stamps frames with the time at which the driver had them, on the clock that Python calls
        # monotonic.
        self._stamps = capture.getBackendName() == "V4L2"

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        start_s: float | None = None
        while not self._stopped.is_set():
            with self._reading:
                ok, image = self._capture.read() if not self._stopped.is_set() else (True, None)
                captured_s = self._captured_s()
                if self._stopped.is_set():
                    self._capture.release()
                    return
            if not ok or image is None:
                raise InputError(f"{self.name} stopped delivering after {index} frames")
            start_s = captured_s if start_s is None else start_s
            name = f"{self.name} frame {index}"
            yield Frame(index, captured_s - start_s, np.asarray(image, np.uint8), name, captured_s)
            index += 1

    def stop(self) -> None:  # noqa: D102
        self._stopped.set()

    def close(self) -> None:
        """Release it; a read that hangs in another thread releases it when it returns."""
        self._stopped.set()
        if self._reading.acquire(timeout=_PATIENCE_S):
            self._capture.release()
            self._reading.release()

    def _captured_s(self) -> float:
        now_s = time.monotonic()
        if self._stamps:
            driver_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if now_s - _OLDEST_S < driver_s <= now_s:
                return driver_s
        return now_s
