"""The live page as a reader of bytes: requests and WebSocket messages go through its real server, without a socket."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
from aiohttp.http_exceptions import HttpProcessingError

from edgeau.errors import InputError
from tests.reliability.mutations import mutated, mutated_json

__all__ = ["PageReader", "handshake", "malformed_messages", "malformed_request", "request"]

_METHODS = ("GET", "GET", "POST", "HEAD", "PUT", "\0", "G" * 9000)
_PATHS = (
    "/", "/do", "/about", "/health", "/numbers", "/camera", "/video", "/recording.csv", "/plate/AU1.webp", "/share.svg", "/metrics",
    "/%00", "/" + "a" * 9000, "http://[", "/?token=x",
)  # fmt: skip
_COMMANDS = ({"do": "record", "on": True}, {"do": "calibrate"}, {"do": "artifact", "file": "model.int8.onnx"})
# Turns of the event loop, a millisecond each: after the last answer, and for an answer that must come, on however busy a machine.
_TURNS, _MOST_TURNS = 8, 10_000


def malformed_request(dice: random.Random, port: int = 80) -> bytes:
    """A request of the page, or a command to it, with changed bytes or values."""
    if dice.random() < 0.3:
        body = mutated_json(dice.choice(_COMMANDS), dice)
        return request("POST", "/do", port, body)
    return mutated(request(dice.choice(_METHODS), dice.choice(_PATHS), port, b"{}"), dice)


def malformed_messages(dice: random.Random, port: int = 80) -> bytes:
    """The handshake of a WebSocket of the page, and frames of it (RFC 6455, section 5.2) with changed bytes."""
    frames = b"".join(_frame(dice) for _ in range(dice.choice((1, 1, 3))))
    head = handshake(dice.choice(("/numbers", "/camera")), port)
    return head + (mutated(frames, dice) if dice.random() < 0.8 else frames)


def request(method: str, path: str, port: int = 80, body: bytes = b"") -> bytes:
    """A request of the page by itself."""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def handshake(path: str, port: int = 80) -> bytes:
    """The request that makes a connection a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def _frame(dice: random.Random) -> bytes:
    """One frame, masked with zeros: a picture, text, a ping or a closing."""
    opcode = dice.choice((2, 2, 2, 1, 0, 8, 9, 10, 3, 15))
    content = dice.choice(
        (_PICTURE, _PICTURE[:100], mutated(_PICTURE, dice), b"", b"\xff" * 3, dice.randbytes(130))
    )
    size = bytes((0x80 | min(len(content), 126),))
    if len(content) > 125:
        size = b"\xfe" + len(content).to_bytes(2, "big")
    return bytes((dice.choice((0x80, 0x80, 0x80, 0x00, 0xC0)) | opcode,)) + size + bytes(4) + content


_PICTURE = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()


class PageReader:
    """The page's server with a session of plain functions; made where it is first used, which may be after a fork."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._errors: list[BaseException | str] = []
        self._factory: Any = None
        self._runner: Any = None
        self._ending = ExitStack()

    def read(self, content: bytes, wanted: bytes = b"") -> bytes:
        """Hand bytes to a new connection, and take what it answers.

        Args:
            content: the bytes.
            wanted: must be in the answer, which is waited for; without it, as long as something comes.

        Raises:
            InputError: it answered that the request is none, or is not allowed.
            AssertionError: something went wrong inside the server, which answers with 500 or says so in its log.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(self._begin(self._loop))
        answered = self._loop.run_until_complete(self._answer(content, wanted))
        if self._errors:
            error = self._errors.pop()
            self._errors.clear()
            raise AssertionError(f"the server failed: {error!r}") from (
                error if isinstance(error, BaseException) else None
            )
        assert not answered.startswith(b"HTTP/1.1 5"), answered[:200]
        if answered.startswith(b"HTTP/1.1 4"):
            raise InputError(answered[:40].decode("latin-1"))
        return answered

    def close(self) -> None:
        """End the server and its session; one that was never used has nothing to end."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            loop.run_until_complete(self._runner.cleanup())
            self._ending.close()
            loop.close()

    async def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        from aiohttp import web

        from edgeau._system.door import Door
        from edgeau_apps.live.overlay import Overlay
        from edgeau_apps.live.serve.server import make_app
        from edgeau_apps.live.serve.supervisor import Supervisor

        handler = logging.Handler(logging.ERROR)
        handler.emit = self._logged  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        self._ending.callback(logging.getLogger().removeHandler, handler)
        loop.set_exception_handler(
            lambda _, context: self._errors.append(context.get("exception") or str(context))
        )
        session, door = _session(), Door()
        self._ending.callback(session.close)
        app = make_app(
            session,
            Overlay(session, None),
            door,
            token=None,
            video=True,
            supervisor=Supervisor(session),
            with_metrics=True,
        )
        runner = web.AppRunner(app, access_log=None)
        self._runner = runner
        await runner.setup()
        assert runner.server is not None
        self._factory = door.guarding(runner.server)

    def _logged(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, HttpProcessingError):  # of whoever asked
            self._errors.append(error)

    async def _answer(self, content: bytes, wanted: bytes) -> bytes:
        protocol, transport = self._factory(), _Transport()
        protocol.connection_made(transport)
        protocol.data_received(content)
        turns, most = 0, _MOST_TURNS if wanted else _TURNS
        while turns < most and not transport.closed and not (wanted and wanted in transport.written):
            before = len(transport.written)
            await asyncio.sleep(0.001)
            turns = 0 if len(transport.written) > before and len(transport.written) < 1 << 20 else turns + 1
        protocol.connection_lost(None)
        await asyncio.sleep(0)
        return bytes(transport.written)


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_reading(self) -> bool:
        return not self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False


def _session() -> Any:
    """A session that has shown one grey picture, and waits for ever for the next."""
    from edgeau import Pipeline
    from edgeau.action_units.network import AUDetector
    from edgeau.bundle import load_bundle, packaged_bundle_path
    from edgeau.faces.landmarks import Landmarker
    from edgeau.runtimes.session import FunctionSession
    from edgeau.sources import Frame, Source
    from edgeau.stages import FrameStages
    from edgeau_apps.live.session import WebcamSession

    class Nobody(Landmarker):
        def __init__(self, _static: bool) -> None: ...

        def detect(self, frame: np.ndarray) -> list[np.ndarray]:
            return []

        def reset(self) -> None: ...

        def close(self) -> None: ...

    class Grey(Source):
        live = True
        name = "a grey camera"

        def __init__(self) -> None:
            self._ended = threading.Event()

        def __iter__(self) -> Iterator[Frame]:
            yield Frame(0, 0.0, np.full((48, 64, 3), 90, np.uint8), "")
            self._ended.wait()

        def stop(self) -> None:
            self._ended.set()

    def load(_artifact: str | None) -> Pipeline:
        bundle = load_bundle(packaged_bundle_path("light"))
        labels = len(bundle.manifest.labels)
        network = FunctionSession(lambda batch: np.zeros((len(batch), labels), np.float32))
        detector = AUDetector(bundle, network, bundle.manifest.artifacts[0], color="BGR")
        return Pipeline(FrameStages(detector, landmarker=Nobody))

    session = WebcamSession(load, Grey)
    session._timings = []  # nothing is measured between two inputs
    return session
