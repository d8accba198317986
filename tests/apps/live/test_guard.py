"""The guard in front of an application that does nothing: requests that no browser sends get an answer too, and never the token."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edgeau._system.door import Door
from edgeau_apps.live.serve.guard import Guard

TOKEN = 'a token; with/odd&characters#%"é'


def ask(*lines: bytes, token: str | None = TOKEN, names: tuple[str, ...] = ()) -> bytes:
    """The answer, head and body, to a request of exactly these lines."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="open")

    async def main() -> bytes:
        guard = Guard(token, Door(), open_paths=("/health",), names=names)
        app = web.Application(middlewares=[guard.middleware])
        app.router.add_get("/{name:.*}", answer)
        async with TestServer(app) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"\r\n".join((*lines, b"Connection: close", b"", b"")))
            found = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            return found

    return asyncio.run(main())


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_path_that_needs_no_token_gives_none_away() -> None:
    answer = ask(b"GET /health?token=wrong HTTP/1.1", b"Host: localhost")
    assert status(answer) == 200
    assert b"cookie" not in answer.lower()


@pytest.mark.parametrize(
    "header", [b"Authorization: Bearer \xff", b"Cookie: edgeau-token=\xff", "Cookie: edgeau-token=é".encode()]
)
def test_a_token_that_is_no_text_is_a_wrong_one(header: bytes) -> None:
    assert status(ask(b"GET / HTTP/1.1", b"Host: localhost", header)) == 401


@pytest.mark.parametrize("origin", [b"http://[", b"http://[::1", b"//\xff"])
def test_an_origin_that_is_none_is_refused(origin: bytes) -> None:
    assert status(ask(b"GET / HTTP/1.1", b"Host: localhost", b"Origin: " + origin, token=None)) == 403


def test_a_token_of_any_characters_opens_the_page_by_address_and_then_by_cookie() -> None:
    first = ask(f"GET /?token={quote(TOKEN, safe='')} HTTP/1.1".encode(), b"Host: localhost")
    assert status(first) == 303
    (cookie,) = [line for line in first.split(b"\r\n") if line.lower().startswith(b"set-cookie: ")]
    value = cookie.partition(b": ")[2].partition(b"; HttpOnly")[0]
    assert status(ask(b"GET / HTTP/1.1", b"Host: localhost", b"Cookie: " + value)) == 200


def test_the_name_that_the_page_was_told_to_listen_on_is_one_of_this_machine() -> None:
    request = (b"GET / HTTP/1.1", b"Host: Board.Example:8765")
    assert status(ask(*request, token=None)) == 421
    assert status(ask(*request, token=None, names=("board.example",))) == 200
