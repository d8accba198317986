"""The address of a page: host and port, and listening there until a signal comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from edgeau._system.command import TERMINATED
from edgeau._system.door import Door
from edgeau._system.service_manager import notify
from edgeau.errors import UsageError

__all__ = ["in_url", "listen", "parse_address"]

_IDLE_S = 15.0  # a connection on which nothing is asked, and nothing sent


def parse_address(text: str) -> tuple[str, int]:
    """``"127.0.0.1:8765"``, ``":8765"`` or ``"[::1]:8765"`` as host and port.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"--serve {text!r} is not HOST:PORT, such as 127.0.0.1:8765")
    return host.strip("[]") or "127.0.0.1", int(port)


def in_url(host: str) -> str:
    """A host as addresses write it: brackets around IPv6."""
    return f"[{host}]" if ":" in host else host


async def listen(
    app: web.Application,
    door: Door,
    address: tuple[str, int],
    listening: Callable[[], None],
    watch: Callable[[], Coroutine[Any, Any, BaseException]],
) -> None:
    """Serve until Ctrl-C or SIGTERM, or until what is watched has ended.

    Args:
        app: the application.
        door: counts its connections.
        address: host and port.
        listening: called once the address is bound.
        watch: returns the error that ends the program.

    Raises:
        UsageError: the address cannot be bound.
    """
    host, port = address
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, keepalive_timeout=_IDLE_S)
    await runner.setup()
    assert runner.server is not None  # there is one after setup
    try:
        try:
            server = await asyncio.get_running_loop().create_server(
                door.guarding(runner.server), host, port, backlog=door.backlog
            )
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be bound: {error.strerror}; give another --serve"
            ) from error
        listening()
        ended_by = await _first(_signal(), watch())
        server.close()
    finally:
        notify(STOPPING="1")
        await runner.cleanup()
    if isinstance(ended_by, BaseException):
        raise ended_by
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(TERMINATED)


async def _first(*waits: Coroutine[Any, Any, Any]) -> Any:
    """The result of whichever ends first; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    return done.pop().result()


async def _signal() -> int:
    """Wait for SIGINT or SIGTERM.

    They are heard here even where a shell started the program in the background and had it ignore SIGINT: a server is ended by
    whoever started it.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def tell(number: int) -> None:
        if not told.done():
            told.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell, number)
    return await told
