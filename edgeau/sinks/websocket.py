"""Results to everybody who listens on a WebSocket."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.served import HEARTBEAT, ServedSink
from edgeau.sinks.tables.jsonl import frame_document, json_line

if TYPE_CHECKING:  # of an extra; it is imported when the sink opens
    from aiohttp import web

__all__ = ["WebSocketSink"]

_FORM = "ws://HOST:PORT/PATH, HOST being what to listen on: 127.0.0.1, or 0.0.0.0 for everybody"
_QUEUE = 32  # messages that wait for one receiver at most: a second of them
_MOST_RECEIVERS = 32


class WebSocketSink(ServedSink):
    """Serves each result, as :mod:`edgeau.sinks.tables.jsonl` writes it, to all who connected.

    Each receiver has its own bounded queue: a slow one loses its oldest messages and holds up nobody. Who is let in, and with which
    token, is told at :class:`~edgeau.sinks.served.ServedSink`: ``ws://HOST:PORT/?token=TEXT``.

    Args:
        address: what to listen on; without a host the loopback, port 0 takes a free one.
        description: description of the results.

    Raises:
        UsageError: the address does not fit.
        OutputError: the port is taken.
        DependencyError: aiohttp is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        self._receivers: set[_Receiver] = set()
        self._lost = 0
        super().__init__(address, description, _FORM, "WebSockets")

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

    # What follows runs in the server's own thread.

    def _say_goodbye(self) -> None:
        for receiver in self._receivers:
            receiver.over()

    def _offer(self, line: str) -> None:
        for receiver in self._receivers:
            self._lost += receiver.offer(line)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if len(self._receivers) >= _MOST_RECEIVERS:
            raise self._web.HTTPServiceUnavailable(text=f"{_MOST_RECEIVERS} receivers are connected already")
        socket: web.WebSocketResponse = self._web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=1024)
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
