"""Cameras that a test machine has not: one on the network, and one on a Raspberry Pi."""

from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

BOUNDARY = "frame"


class MjpegServer:
    """Serves grey frames whose brightness counts 0, 10, 20, ...

    Args:
        frames: that one connection gets before the server hangs up; None for no end.
        port: to listen at; 0 takes a free one.
        fps: frames a second.
        picture: what to send instead.
    """

    def __init__(
        self, frames: int | None = None, port: int = 0, fps: float = 60, picture: np.ndarray | None = None
    ) -> None:
        self.frames, self.fps, self.picture = frames, fps, picture
        self.hang = threading.Event()
        self.connections = 0
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
                self.end_headers()
                with suppress(OSError):  # the reader goes away
                    outer.send(self.wfile)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}/video.mjpg"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def send(self, stream: Any) -> None:
        sent = 0
        while not self._closing.is_set() and (self.frames is None or sent < self.frames):
            while self.hang.is_set() and not self._closing.is_set():
                time.sleep(0.01)
            image = np.full((48, 64, 3), 10 * sent % 256, np.uint8) if self.picture is None else self.picture
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            stream.write(head.encode() + jpeg + b"\r\n")
            stream.flush()
            sent += 1
            time.sleep(1 / self.fps)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., MjpegServer]]:
    """Starts a camera on the network; it ends with the test."""
    with ExitStack() as servers:
        yield lambda **options: servers.enter_context(MjpegServer(**options))


class Picamera2:
    """As much of picamera2's documented interface as is used: a video configuration with a main and a lores stream, requests.

    Its main pictures are blue, and brighter from frame to frame; its lores stream is planar YUV with rows longer than the
    picture, as on the Pi.
    """

    cameras = 1
    hang = threading.Event()
    opened: ClassVar[list[Picamera2]] = []

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num >= self.cameras:
            [][camera_num]  # picamera2 raises this IndexError too
        self.configuration: dict[str, Any] | None = None
        self.started = self.closed = False
        self.count = self.outstanding = 0
        Picamera2.opened.append(self)

    def create_video_configuration(
        self,
        main: dict[str, Any],
        lores: dict[str, Any] | None = None,
        buffer_count: int = 6,
        queue: bool = True,
        controls: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        assert main["format"] == "RGB888"
        assert lores is None or lores["format"] == "YUV420"
        sizes = [main["size"]] if lores is None else [main["size"], lores["size"]]
        assert all(value % 2 == 0 for size in sizes for value in size), "libcamera wants even sizes"
        return {
            "main": main,
            "lores": lores,
            "buffer_count": buffer_count,
            "queue": queue,
            "controls": controls,
        }

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def start(self) -> None:
        assert self.configuration is not None
        self.started = True

    def capture_request(self) -> PicameraRequest:
        assert self.started
        while self.hang.is_set():
            time.sleep(0.01)
        time.sleep(0.002)
        assert self.outstanding < self.configuration["buffer_count"], "requests were not released"
        self.count += 1
        self.outstanding += 1
        return PicameraRequest(self, self.count)

    def stop(self) -> None:
        self.started = False

    def close(self) -> None:
        self.closed = True


class PicameraRequest:
    def __init__(self, camera: Picamera2, number: int) -> None:
        self._camera, self._number = camera, number
        self._taken_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 20_000_000

    def make_array(self, name: str) -> np.ndarray:
        width, height = self._camera.configuration[name]["size"]
        bgr = np.zeros((height, width, 3), np.uint8)
        bgr[:, :, 0] = 100 + self._number
        if name == "main":
            return bgr
        stride = -(-width // 64) * 64
        padded = np.zeros((height, stride, 3), np.uint8)
        padded[:, :width] = bgr
        return cv2.cvtColor(padded, cv2.COLOR_BGR2YUV_I420)

    def get_metadata(self) -> dict[str, Any]:
        return {"SensorTimestamp": self._taken_ns}

    def release(self) -> None:
        self._camera.outstanding -= 1


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Picamera2]]:
    """Stands in for the package, which exists on a Raspberry Pi only."""
    module = types.ModuleType("picamera2")
    module.Picamera2 = Picamera2
    monkeypatch.setitem(sys.modules, "picamera2", module)
    Picamera2.cameras, Picamera2.opened = 1, []
    Picamera2.hang.clear()
    yield Picamera2
    Picamera2.hang.clear()
