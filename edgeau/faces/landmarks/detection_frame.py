"""The picture that the landmark models see: no larger than they can use, and for mediapipe RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.faces.halving import halved, power_of_two

__all__ = ["DetectionFrame", "in_larger_frame", "shrunk"]

# The landmark network looks at 192 x 192 pixels of a region 1.5 times as wide as the face, and MediaPipe loses faces
# below 10 % of the frame's long side: at 1280 pixels even the smallest face fills those 192. More pixels cost time only.
_LONG_SIDE = 1280


class DetectionFrame:
    """Turns frames into what MediaPipe takes, in buffers that are kept from frame to frame."""

    def __init__(self) -> None:
        self._rgb: NDArray[np.uint8] | None = None

    def convert(self, frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
        """A frame for the models.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.

        Returns:
            RGB, read-only, valid until the next call; and how many pixels of ``frame`` each of its sides has.
        """
        small, factor = shrunk(frame)
        if self._rgb is None or self._rgb.shape != small.shape:
            self._rgb = np.empty(small.shape, np.uint8)
        cv2.cvtColor(small, cv2.COLOR_BGR2RGB, dst=self._rgb)
        view = self._rgb.view()
        # MediaPipe copies a writeable array and borrows a read-only one. Borrowing is safe: it waits until it is idle
        # before it returns.
        view.flags.writeable = False
        return view, factor


def shrunk(frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The frame, halved as often as its long side stays at 1280 pixels or more.

    Args:
        frame: uint8 ``(height, width, 3)``.

    Returns:
        The frame, itself where it is small enough; and the side in its pixels of one pixel of the smaller one.
    """
    factor = power_of_two(max(frame.shape[:2]) / _LONG_SIDE)
    height, width = (side // factor * factor for side in frame.shape[:2])
    if height == 0 or width == 0:
        return frame, 1
    return halved(frame[:height, :width], factor), factor


def in_larger_frame(points: NDArray[np.float32], across: float, down: float) -> NDArray[np.float32]:
    """Points that were found in a shrunk frame, in pixels of the frame.

    In both, the centre of the first pixel is at 0, 0; that of the shrunk frame lies in the middle of the pixels that it was made of.

    Args:
        points: float32 ``(n, 3)``, x y z in pixels of the shrunk frame.
        across: width of one of its pixels, pixels of the frame.
        down: height of one.

    Returns:
        float32 ``(n, 3)``.
    """
    scale = np.array((across, down, across), np.float32)
    first = np.array(((across - 1) / 2, (down - 1) / 2, 0), np.float32)
    return points * scale + first
