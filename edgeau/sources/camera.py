"""A camera by its number as a source, and which board it is on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import cv2

from edgeau.errors import InputError
from edgeau.sources.capture import CaptureSource

__all__ = ["CameraSource", "board"]

_MODEL = Path("/proc/device-tree/model")

# Above this many pixels a USB camera has no room for raw frames at full rate, and sends them as JPEG.
_RAW_PIXELS = 640 * 480


class CameraSource(CaptureSource):
    """A camera that OpenCV can open by number: a USB camera, or the one in a laptop.

    Args:
        index: its number; on Linux that of ``/dev/videoN``.
        size: width and height in pixels to ask for; the camera may give its nearest. None takes its own choice.
        fps: rate to ask for; None takes its own choice.

    Raises:
        InputError: no camera answers; and from the iterator when it stops delivering.
    """

    def __init__(self, index: int, size: tuple[int, int] | None = None, fps: float | None = None) -> None:
        if index >= 1 << 31:
            raise InputError(f"no camera has the number {index}")
        capture = cv2.VideoCapture(index)
        if not capture.isOpened():
            raise InputError(f"no camera answers at number {index}; {_advice(index)}")
        if size is not None:
            if size[0] * size[1] > _RAW_PIXELS:
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if fps is not None:
            capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # frames that wait in the driver are old frames
        super().__init__(f"camera {index}", capture)


def _advice(index: int) -> str:
    device, found = Path(f"/dev/video{index}"), sorted(Path("/dev").glob("video*"))
    if device.exists() and not os.access(device, os.R_OK | os.W_OK):
        return f"you may not open {device}: sudo usermod -aG video $USER, then log in again"
    if device.exists():
        return f"{device} is there: another program may be using it, or it gives no pictures (try another number)"
    own = {
        "raspberrypi": '; for the ribbon cable\'s give "picamera2"',
        "jetson": '; for the ribbon cable\'s give "argus"',
    }
    names = ", ".join(map(str, found))
    here = f"this machine has {names}" if found else "this machine has no /dev/video*: plug one in"
    return here + own.get(board() or "", "")


def board(model: Path = _MODEL) -> Literal["raspberrypi", "jetson"] | None:
    """The board's maker, from the device tree that its firmware gives to Linux; None for any other machine."""
    try:
        text = model.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if "Raspberry Pi" in text:
        return "raspberrypi"
    return "jetson" if "Jetson" in text or "NVIDIA" in text else None
