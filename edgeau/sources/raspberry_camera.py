"""The camera on a Raspberry Pi's ribbon cable as a source, through picamera2."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import NUMPY_1
from edgeau.errors import DependencyError, InputError
from edgeau.sources.frame import Frame
from edgeau.sources.source import Source

__all__ = ["Picamera2Source"]

_SIZE, _FPS = (1280, 720), 30.0
# Long side of the low-resolution stream, which faces are found in, pixels.
_SMALL = 640


class Picamera2Source(Source):
    """A CSI camera of a Raspberry Pi.

    The camera's own hardware scales every frame down a second time: faces are found in the small picture
    (:attr:`~edgeau.sources.Frame.small`) and cut out of the large one.

    Args:
        number: number of the camera, from 0.
        size: width and height of the large picture in pixels, even numbers.
        fps: frames a second.

    Raises:
        DependencyError: picamera2 is not installed, or does not fit this environment.
        InputError: no camera answers, or another program uses it.
    """

    live = True

    def __init__(
        self, number: int = 0, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        self.name = f"picamera2 camera {number}"
        self.fps = fps or _FPS
        size = size or _SIZE
        self._small = _small_size(size)
        self._stopped = threading.Event()
        self._reading = threading.Lock()
        self._camera = _open(number)
        lores = None if self._small is None else {"size": self._small, "format": "YUV420"}
        try:
            # picamera2 names formats by the order of their bits: its RGB888 is blue first in memory, as OpenCV wants it.
            configuration = self._camera.create_video_configuration(
                main={"size": size, "format": "RGB888"},
                lores=lores,
                buffer_count=4,
                queue=False,  # the next frame, and not one that was taken before we asked
                controls={"FrameRate": self.fps},
            )
            self._camera.configure(configuration)
            self._camera.start()
        except RuntimeError as error:
            self._camera.close()
            raise InputError(
                f"camera {number} does not take {size[0]} x {size[1]} pixels at {self.fps:g} frames a second ({error})"
            ) from error

    def __iter__(self) -> Iterator[Frame]:
        index, start_s = 0, None
        while True:
            with self._reading:
                if self._stopped.is_set():
                    self._release()
                    return
                image, small, captured_s = self._read()
            start_s = captured_s if start_s is None else start_s
            yield Frame(index, captured_s - start_s, image, f"{self.name} frame {index}", captured_s, small)
            index += 1

    def stop(self) -> None:  # noqa: D102
        self._stopped.set()

    def close(self) -> None:
        """Release the camera; a request that hangs in another thread releases it when it returns."""
        self._stopped.set()
        if self._reading.acquire(timeout=0.4):
            self._release()
            self._reading.release()

    def _read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, float]:
        request = self._camera.capture_request()
        try:
            image = request.make_array("main")
            small = None if self._small is None else _bgr(request.make_array("lores"), self._small)
            return image, small, _captured_s(request.get_metadata())
        finally:
            request.release()

    def _release(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.stop()
            camera.close()


def _open(number: int) -> Any:
    try:
        from picamera2 import Picamera2  # type: ignore[import-not-found]
    except ImportError as error:
        raise DependencyError(
            f"a Raspberry Pi's ribbon camera needs picamera2 ({error}): sudo apt install -y python3-picamera2, and make the "
            "environment with python3 -m venv --system-site-packages .venv (pip does not give a working one)"
        ) from error
    except ValueError as error:  # what compiled packages raise that were built for another numpy
        raise DependencyError(
            f"picamera2 does not fit this environment's numpy ({error}): {NUMPY_1}, or pip uninstall numpy so "
            "that the system's is used"
        ) from error
    try:
        return Picamera2(number)
    except IndexError as error:
        raise InputError(
            f"no camera at number {number}; check the ribbon cable, and what `rpicam-hello --list-cameras` lists"
        ) from error
    except RuntimeError as error:
        raise InputError(
            f"camera {number} cannot be opened ({error}); another program may be using it"
        ) from error


def _small_size(size: tuple[int, int]) -> tuple[int, int] | None:
    """Even numbers of pixels of the same shape; None where the large picture is small enough."""
    share = _SMALL / max(size)
    return None if share >= 1 else (2 * round(size[0] * share / 2), 2 * round(size[1] * share / 2))


def _bgr(yuv: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """BGR from planar YUV 4:2:0, ``(1.5 * height, stride)``, whose rows may be longer than the picture is wide."""
    height = size[1] * 3 // 2
    return cv2.cvtColor(yuv[:height], cv2.COLOR_YUV2BGR_I420)[:, : size[0]]  # type: ignore[return-value]


def _captured_s(metadata: dict[str, Any]) -> float:
    """Time at which the sensor took it, on Python's monotonic clock; libcamera's counts the time asleep too."""
    sensor_ns = metadata.get("SensorTimestamp")
    now_s = time.monotonic()
    if sensor_ns is None:
        return now_s
    age_s = (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - int(sensor_ns)) / 1e9
    return now_s - min(max(age_s, 0.0), 5.0)
