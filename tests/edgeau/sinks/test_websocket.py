"""A real server and real receivers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from edgeau.errors import OutputError, UsageError
from edgeau.sinks.address import Address
from edgeau.sinks.websocket import WebSocketSink

aiohttp = pytest.importorskip("aiohttp")


class Receiver(threading.Thread):
    """Connects and keeps what it gets."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(daemon=True)
        self.url, self.headers = url, headers
        self.documents: list[dict] = []
        self.refused: int | None = None
        self.over = False
        self.start()

    def run(self) -> None:
        import asyncio

        asyncio.run(self._listen())

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(self.url, headers=self.headers) as connected:
                    async for message in connected:
                        self.documents.append(json.loads(message.data))
            except aiohttp.WSServerHandshakeError as error:
                self.refused = error.status
        self.over = True


@pytest.fixture
def serve(description) -> Callable[[str], WebSocketSink]:
    opened = []

    def make(where: str = "ws://:0") -> WebSocketSink:
        opened.append(WebSocketSink(Address.parse(where), description))
        return opened[-1]

    yield make
    for sink in opened:
        sink.close()


def test_what_nobody_can_listen_on_is_said_at_once(description) -> None:
    with pytest.raises(OutputError, match="cannot listen on .*label too long"):
        WebSocketSink(Address.parse(f"ws://{'a' * 70}:0"), description)
    with pytest.raises(UsageError, match="a path to listen on has no"):
        WebSocketSink(Address.parse("ws://:0/desk{1}"), description)


def test_all_receivers_get_every_result_and_are_told_the_end(serve, make_result, until) -> None:
    sink = serve()
    sink.write(make_result(0))  # nobody is there
    receivers = [Receiver(f"ws://127.0.0.1:{sink.port}/") for _ in range(3)]
    until(lambda: sink.receivers == 3)
    for index in range(1, 11):
        sink.write(make_result(index))
    for receiver in receivers:
        until(lambda receiver=receiver: len(receiver.documents) == 10)
        assert [document["index"] for document in receiver.documents] == list(range(1, 11))
    start = time.monotonic()
    sink.close()
    assert time.monotonic() - start < 1
    for receiver in receivers:
        until(lambda receiver=receiver: receiver.over)
    assert sink.lost == 0


def test_without_a_host_nobody_outside_can_connect(serve) -> None:
    sink = serve()
    # On Linux all of 127.0.0.0/8 is this machine: what listens on every address answers there too.
    with socket.socket() as outside, pytest.raises(ConnectionRefusedError):
        outside.connect(("127.0.0.2", sink.port))
    with socket.socket() as inside:
        inside.connect(("127.0.0.1", sink.port))


def test_a_receiver_that_stops_reading_loses_its_own_messages_only(serve, make_result, until) -> None:
    sink = serve()
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", sink.port))
        stuck.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        reading = Receiver(f"ws://127.0.0.1:{sink.port}/")
        until(lambda: sink.receivers == 2)
        crowded = make_result(0, faces=100)  # some 30 kB
        for sent in range(1, 2000):
            sink.write(crowded)
            until(lambda sent=sent: len(reading.documents) == sent)
            if sink.lost:
                break
    assert sink.lost
    assert len(reading.documents) == sent


def test_a_page_of_another_origin_is_refused_unless_it_is_let_in(serve, make_result, until) -> None:
    def connect(sink: WebSocketSink, origin: str) -> Receiver:
        receiver = Receiver(f"ws://127.0.0.1:{sink.port}/", {"Origin": origin})
        until(lambda: receiver.over or sink.receivers)
        return receiver

    assert connect(serve(), "https://elsewhere.example").refused == 403
    assert connect(serve(), "http://localhost:3000").refused is None
    assert connect(serve("ws://:0?origin=https://kiosk.example"), "https://kiosk.example").refused is None
    assert connect(serve(), "http://[").refused == 403, "it is no address"


def test_a_token_is_asked_for(serve, until) -> None:
    sink = serve("ws://:0/aus?token=secret")
    for question in ("", "?token=guess"):
        refused = Receiver(f"ws://127.0.0.1:{sink.port}/aus{question}")
        until(lambda refused=refused: refused.over)
        assert refused.refused == 403
    Receiver(f"ws://127.0.0.1:{sink.port}/aus?token=secret")
    until(lambda: sink.receivers == 1)
    assert "secret" not in sink.name
