"""Connections that ask nothing do not keep others out; with real sockets."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress

from edgeau._system.door import Door


class Echo(asyncio.Protocol):
    """Asks with its first whole line, and gets it back."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\n"):
            self.door.asks(self.transport)
            self.transport.write(data)


def run(door: Door, body: Callable[[int], Awaitable[None]]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(door.guarding(lambda: Echo(door)), "127.0.0.1", 0)
        try:
            await body(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    asyncio.run(main())


async def said(port: int, what: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(what)
    await writer.drain()
    return reader, writer


async def until(true: Callable[[], bool]) -> None:
    async def look() -> None:
        while not true():  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), 30)


def test_the_oldest_that_asks_nothing_makes_room() -> None:
    door = Door(most=4, head_s=60)

    async def body(port: int) -> None:
        asking = await said(port, b"first\n")
        assert await asking[0].readline() == b"first\n"
        silent = []
        for _ in range(10):
            silent.append(await said(port, b"half"))
            await until(lambda: door.open <= 4)
        late = await said(port, b"late\n")
        assert await late[0].readline() == b"late\n"
        with suppress(ConnectionResetError):
            assert await silent[0][0].read() == b""  # closed: it was the oldest
        asking[1].write(b"again\n")
        assert await asking[0].readline() == b"again\n"
        for _, writer in (asking, late, *silent):
            writer.close()
        await until(lambda: door.open == 0)

    run(door, body)


def test_who_asks_nothing_in_time_is_let_go() -> None:
    door = Door(head_s=0.2)

    async def body(port: int) -> None:
        asking, silent = await said(port, b"first\n"), await said(port, b"half")
        assert await asking[0].readline() == b"first\n"
        with suppress(ConnectionResetError):
            assert await silent[0].read() == b""
        await until(lambda: door.open == 1)
        asking[1].write(b"again\n")
        assert await asking[0].readline() == b"again\n"
        asking[1].close()
        silent[1].close()

    run(door, body)


def test_where_all_ask_a_further_one_is_not_let_in() -> None:
    door = Door(most=2, head_s=60)

    async def body(port: int) -> None:
        pairs = [await said(port, b"one\n"), await said(port, b"two\n")]
        for reader, _ in pairs:
            await reader.readline()
        further = await said(port, b"")
        with suppress(ConnectionResetError):
            assert await further[0].read() == b""
        assert door.open == 2
        for _, writer in (*pairs, further):
            writer.close()

    run(door, body)


def test_there_is_room_for_a_quarter_of_the_files_that_may_be_open() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, before[1]))
    try:
        door = Door(most=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (door.most, door.backlog) == (16, 2)
