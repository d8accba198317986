"""Results to everybody who listens on a WebSocket."""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgeau._system.door import Door
from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, OutputError
from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink
from edgeau.sinks.tables.jsonl import frame_document, json_line

if TYPE_CHECKING:  # of an extra; it is imported when the sink opens
    from aiohttp import web

__all__ = ["WebSocketSink"]

_FORM = "ws://HOST:PORT/PATH, HOST being what to listen on: 127.0.0.1, or 0.0.0.0 for everybody"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_QUEUE = 32  # messages that wait for one receiver at most: a second of them
_MOST_RECEIVERS = 32
_HEARTBEAT = 15.0  # seconds; a receiver that died without a word is noticed after this
_START_SECONDS = 10.0
_STOP_SECONDS = 0.5


class WebSocketSink(Sink):
    """Serves each result, as :mod:`edgeau.sinks.tables.jsonl` writes it, to all who connected.

    Each receiver has its own bounded queue: a slow one loses its oldest messages and holds up nobody. Pages of other
    origins than the loopback's are refused, since any page that a browser shows could otherwise listen; ``origin=URL``
    lets one in. With ``token=TEXT`` receivers must say the same behind their address: ``ws://HOST:PORT/?token=TEXT``.

    Args:
        address: what to listen on; without a host the loopback, port 0 takes a free one.
        description: description of the results.

    Raises:
        UsageError: the address does not fit.
        OutputError: the port is taken.
        DependencyError: aiohttp is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        address.check(_FORM, "token", "origin", host=False, port=True)
        try:
            from aiohttp import web
        except ImportError as error:
            raise DependencyError(f"WebSockets need the package aiohttp; {extra_line('web')}") from error
        self.name = address.text
        self._web = web
        self._address = address
        self._trained = description.trained
        self._receivers: set[_Receiver] = set()
        self._door = Door()
        self._lost = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._refusal: OSError | None = None
        self.port = 0
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name=f"sink {self.name}", daemon=True)
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if self._refusal is not None:
            why = self._refusal.strerror or self._refusal
            raise OutputError(f"cannot listen on {self.name}: {why}") from self._refusal

    @property
    def lost(self) -> int:
        """Messages that slow receivers lost, all receivers together."""
        return self._lost

    @property
    def receivers(self) -> int:
        """Number of receivers that are connected."""
        return len(self._receivers)

    def write(self, result: FrameResult) -> None:
        """Give it to all who are connected; with nobody there, nothing is lost."""
        if self._receivers:
            line = json_line(frame_document(result, trained=self._trained, live=True))
            with suppress(RuntimeError):  # closed meanwhile
                self._loop.call_soon_threadsafe(self._offer, line)

    def close(self) -> None:
        """Send the receivers away and free the port."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2 * _STOP_SECONDS)

    # What follows runs in the server's own thread.

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        except OSError as error:
            self._refusal = error
        finally:
            self._started.set()
            self._loop.close()

    async def _run(self) -> None:
        application = self._web.Application()
        application.router.add_get(f"/{self._address.path}", self._receive)
        runner = self._web.AppRunner(
            application, access_log=None, shutdown_timeout=_STOP_SECONDS, keepalive_timeout=_HEARTBEAT
        )
        await runner.setup()
        assert runner.server is not None  # there is one after setup
        try:
            server = await self._loop.create_server(
                self._door.guarding(runner.server),
                self._address.host or _LOOPBACK[0],
                self._address.port,
                backlog=self._door.backlog,
            )
            self.port = server.sockets[0].getsockname()[1]
            self._started.set()
            await self._stop.wait()
            server.close()
            for receiver in self._receivers:
                receiver.over()
        finally:
            await runner.cleanup()

    def _offer(self, line: str) -> None:
        for receiver in self._receivers:
            self._lost += receiver.offer(line)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        self._door.asks(request.transport)
        self._admit(request)
        socket = self._web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=1024)
        await socket.prepare(request)
        receiver = _Receiver(socket)
        self._receivers.add(receiver)
        sending = asyncio.ensure_future(receiver.send())
        try:
            async for _ in socket:  # what a receiver says is not heard, but its going is
                pass
        finally:
            self._receivers.discard(receiver)
            sending.cancel()
        return socket

    def _admit(self, request: web.Request) -> None:
        token, origin = self._address.options.get("token"), request.headers.get("Origin")
        if token is not None and not hmac.compare_digest(
            request.query.get("token", "").encode(), token.encode()
        ):
            raise self._web.HTTPForbidden(text="the token is missing or wrong")
        if origin is not None and not self._may_listen(origin):
            raise self._web.HTTPForbidden(text=f"pages of {origin} may not listen; allow them with origin=")
        if len(self._receivers) >= _MOST_RECEIVERS:
            raise self._web.HTTPServiceUnavailable(text=f"{_MOST_RECEIVERS} receivers are connected already")

    def _may_listen(self, origin: str) -> bool:
        allowed = self._address.options.get("origin")
        return origin == allowed or urlsplit(origin).hostname in _LOOPBACK


class _Receiver:
    """One connection and what waits for it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._queue: deque[str] = deque(maxlen=_QUEUE)
        self._filled = asyncio.Event()

    def offer(self, line: str) -> bool:
        """Queue a message; True when an older one was lost for it."""
        full = len(self._queue) == _QUEUE
        self._queue.append(line)
        self._filled.set()
        return full

    def over(self) -> None:
        """Begin to close."""
        self._task = asyncio.ensure_future(self._socket.close(message=b"the stream ended"))

    async def send(self) -> None:
        """Send what is queued, for ever."""
        with suppress(ConnectionError):
            while True:
                await self._filled.wait()
                while self._queue:
                    await self._socket.send_str(self._queue.popleft())
                self._filled.clear()
