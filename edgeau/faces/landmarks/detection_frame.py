"""The picture that the landmark models see: no larger than they can use, and for mediapipe RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["DetectionFrame", "shrunk"]

# The landmark network looks at 192 x 192 pixels of a region 1.5 times as wide as the face, and MediaPipe loses faces
# below 10 % of the frame's long side: at 1280 pixels even the smallest face fills those 192. More pixels cost time only.
_LONG_SIDE = 1280


class DetectionFrame:
    """Turns frames into what MediaPipe takes, in buffers that are kept from frame to frame."""

    def __init__(self) -> None:
        self._rgb: NDArray[np.uint8] | None = None

    def convert(self, frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
        """A frame for the models.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.

        Returns:
            RGB, read-only, valid until the next call; and the width and height in pixels of ``frame`` that it shows.
        """
        small, extent = shrunk(frame)
        if self._rgb is None or self._rgb.shape != small.shape:
            self._rgb = np.empty(small.shape, np.uint8)
        cv2.cvtColor(small, cv2.COLOR_BGR2RGB, dst=self._rgb)
        view = self._rgb.view()
        # MediaPipe copies a writeable array and borrows a read-only one. Borrowing is safe: it waits until it is idle
        # before it returns.
        view.flags.writeable = False
        return view, extent


def shrunk(frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The frame at a whole fraction of its size: resizing by area is many times faster by whole numbers.

    Args:
        frame: uint8 ``(height, width, 3)``.

    Returns:
        The frame, itself where it is small enough; and the width and height in its pixels that the smaller one shows.
    """
    factor = max(frame.shape[:2]) // _LONG_SIDE
    height, width = frame.shape[0] // max(factor, 1), frame.shape[1] // max(factor, 1)
    if factor < 2 or height == 0 or width == 0:
        return frame, (float(frame.shape[1]), float(frame.shape[0]))
    whole = frame[: height * factor, : width * factor]
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), (width * float(factor), height * float(factor))
