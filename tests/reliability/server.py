"""Attacks on the page: the rate of a good client, memory and log are measured before, during and after."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import psutil

from tests.apps.live.conftest import serving
from tests.reliability.outcome import Outcome
from tests.reliability.page import malformed_messages, malformed_request

__all__ = ["attacks"]

_TOKEN = "0123456789abcdef0123456789abcdef"
_HOLD = threading.Event


def attacks(*, full: bool) -> list[Outcome]:
    """Each attack on a server of its own, with 256 files that it may open."""
    size = 1000 if full else 300
    return [
        _attacked("half-open sockets", lambda port, stop: _half_open(port, stop, size), size),
        _attacked(
            "slow readers of the picture",
            lambda port, stop: _readers(port, stop, min(size, 200)),
            min(size, 200),
            token=False,
        ),
        _attacked("wrong tokens", lambda port, stop: _flood(port, stop, _wrong), size),
        _attacked(
            "malformed HTTP",
            lambda port, stop: _flood(port, stop, lambda port, dice: malformed_request(dice, port)),
            size,
        ),
        _attacked(
            "malformed WebSocket frames",
            lambda port, stop: _flood(port, stop, lambda port, dice: malformed_messages(dice, port)),
            size,
            token=False,
        ),
        _attacked(
            "half-open handshakes of TLS",
            lambda port, stop: _half_open(port, stop, size, b"\x16\x03\x01\x02\x00"),
            size,
            tls=True,
        ),
    ]


def _attacked(
    name: str,
    attack: Callable[[int, threading.Event], int],
    size: int,
    *,
    token: bool = True,
    tls: bool = False,
) -> Outcome:
    outcome = Outcome(name, size)
    options = (["--token", _TOKEN] if token else []) + (["--tls"] if tls else [])
    with _serving(options, tls=tls) as server:
        process = psutil.Process(server.process.pid)
        before = asyncio.run(_rate(server.port, 4, tls=tls))
        resident = process.memory_info().rss
        stop, done = threading.Event(), [0]
        thread = threading.Thread(target=lambda: done.__setitem__(0, attack(server.port, stop)))
        thread.start()
        time.sleep(1)
        try:
            during = asyncio.run(_rate(server.port, 8, tls=tls))
        except (OSError, aiohttp.ClientError, asyncio.TimeoutError) as error:
            during = 0.0
            outcome.faults[0] = f"a good client was not served: {type(error).__name__} {error}"
        grown = process.memory_info().rss - resident
        stop.set()
        thread.join(60)
        after = asyncio.run(_rate(server.port, 3, tls=tls))
        server.said.seek(0)
        log = len(server.said.read())
        outcome.said |= {
            "done": done[0], "results a second before": round(before, 1), "during": round(during, 1), "after": round(after, 1),
            "memory grown, MiB": round(grown / 2**20, 1), "log, bytes": log,
        }  # fmt: skip
        if server.process.poll() is not None:
            outcome.faults[1] = f"the server ended with {server.process.returncode}"
        if grown > 200 << 20:
            outcome.faults[2] = f"memory grew by {grown >> 20} MiB"
        if log > 100_000:
            outcome.faults[3] = f"{log} bytes of log"
        if after < 0.5 * before:
            outcome.faults[4] = "the rate did not come back"
        if during < 0.3 * before:
            outcome.faults[5] = f"{during:.1f} results a second instead of {before:.1f}"
    return outcome


@contextlib.contextmanager
def _serving(options: list[str], *, tls: bool) -> Iterator:
    if not tls:
        with serving(*options, files=256) as server:
            yield server
        return
    from tests.apps.live.test_encryption import Encrypted

    with tempfile.TemporaryDirectory() as folder:
        page = Encrypted(Path(folder), *options)
        try:
            yield page
        finally:
            page.close()


async def _rate(port: int, seconds: float, *, tls: bool) -> float:
    """Results a second of one good listener."""
    scheme = "https" if tls else "http"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(
            f"{scheme.replace('http', 'ws')}://127.0.0.1:{port}/numbers",
            origin=f"{scheme}://127.0.0.1:{port}",
            ssl=context if tls else True,
        ) as listener,
    ):
        await listener.receive_str(timeout=60)
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            await listener.receive_str(timeout=20)
            count += 1
        return count / seconds


def _half_open(
    port: int, stop: threading.Event, count: int, first: bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
) -> int:
    held, opened = [], 0
    while not stop.is_set():
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", port), timeout=1)
            one.sendall(first)
            held.append(one)
            opened += 1
        if len(held) > count:
            held.pop(0).close()
        time.sleep(0.002)
    for one in held:
        one.close()
    return opened


def _readers(port: int, stop: threading.Event, count: int) -> int:
    held = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", port), timeout=1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(f"GET /video HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            held.append(one)
    stop.wait(60)
    for one in held:
        one.close()
    return len(held)


def _flood(port: int, stop: threading.Event, make: Callable[[int, random.Random], bytes]) -> int:
    """As many as one thread manages; each answer is read, or the end of the connection."""
    dice, sent = random.Random(0), 0
    while not stop.is_set():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as one:
            one.sendall(make(port, dice))
            one.settimeout(0.3)
            one.recv(4096)
        sent += 1
        time.sleep(0.001)
    return sent


def _wrong(port: int, dice: random.Random) -> bytes:
    return f"GET /?token={dice.getrandbits(64):x} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
