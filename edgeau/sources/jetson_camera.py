"""The camera on a Jetson's ribbon cable as a source, through Argus and GStreamer."""

from __future__ import annotations

import cv2

from edgeau.errors import DependencyError, InputError
from edgeau.sources.camera import board
from edgeau.sources.capture import CaptureSource

__all__ = ["ArgusSource", "argus_pipeline"]

_SIZE, _FPS = (1280, 720), 30.0


class ArgusSource(CaptureSource):
    """A CSI camera of a Jetson.

    Args:
        sensor: number of the camera, from 0.
        size: width and height in pixels.
        fps: frames a second.

    Raises:
        DependencyError: this OpenCV has no GStreamer.
        InputError: no camera answers; and from the iterator when it stops delivering.
    """

    def __init__(
        self, sensor: int = 0, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise DependencyError(
                "a Jetson's ribbon camera needs an OpenCV with GStreamer, which pip's is not: use JetPack's "
                "(sudo apt install python3-opencv; python3 -m venv --system-site-packages .venv; "
                ".venv/bin/pip uninstall opencv-python)"
            )
        capture = cv2.VideoCapture(argus_pipeline(sensor, size or _SIZE, fps or _FPS), cv2.CAP_GSTREAMER)
        if not capture.isOpened():
            where = "" if board() == "jetson" else "; this machine is not a Jetson"
            raise InputError(
                f"no camera answers at Argus sensor {sensor}{where}. Check the ribbon cable and "
                "/opt/nvidia/jetson-io/jetson-io.py, and restart the camera service: sudo systemctl restart nvargus-daemon"
            )
        super().__init__(f"argus camera {sensor}", capture)


def argus_pipeline(sensor: int, size: tuple[int, int], fps: float) -> str:
    """The GStreamer pipeline: the image processor scales, and only the newest frame is kept for us."""
    width, height = size
    return (
        f"nvarguscamerasrc sensor-id={sensor} ! "
        f"video/x-raw(memory:NVMM), width={width}, height={height}, framerate={round(fps)}/1, format=NV12 ! "
        f"nvvidconv ! video/x-raw, width={width}, height={height}, format=BGRx ! "
        "videoconvert ! video/x-raw, format=BGR ! "
        "appsink drop=true max-buffers=1 sync=false"
    )
