"""A sink that others come to: a small HTTP server in a thread of its own, and who is let in."""

from __future__ import annotations

import asyncio
import hmac
import threading
from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgeau._system.allowance import Allowance
from edgeau._system.door import Door
from edgeau._system.host_header import is_of_this_machine
from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, OutputError, UsageError
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink

if TYPE_CHECKING:  # of an extra; it is imported when the sink opens
    from aiohttp import web

__all__ = ["HEARTBEAT", "ServedSink"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEARTBEAT = 15.0
"""Seconds after which a connection that died without a word is noticed."""
_START_SECONDS = 10.0
_STOP_SECONDS = 0.5
_ATTEMPTS_PER_S, _ATTEMPTS = 1.0, 20.0  # wrong tokens, of everybody together


class ServedSink(Sink):
    """Listens on an address until it is closed.

    Pages of other origins than the loopback's are refused, since any page that a browser shows could otherwise listen;
    ``origin=URL`` lets one in. With ``token=TEXT`` receivers must say the same behind their address. Without one, whoever asks must
    have reached this machine by a number or by its own name: pages whose names were made to point here are refused.

    Args:
        address: what to listen on; without a host the loopback, port 0 takes a free one.
        description: description of the results.
        form: how such an address looks, for messages.
        what: what is served, for messages.

    Raises:
        UsageError: the address does not fit.
        OutputError: the port is taken.
        DependencyError: aiohttp is missing.
    """

    def __init__(self, address: Address, description: Description, form: str, what: str) -> None:
        address.check(form, "token", "origin", host=False, port=True)
        if set("{}") & set(address.path):  # the server's own signs for parts that vary
            raise UsageError(f"{address.text!r}: a path to listen on has no {{ and no }}")
        if address.options.get("token") == "":  # as of a variable that is not set
            raise UsageError(
                f"{address.text!r}: the token is empty, so that anybody could listen; leave it out for that"
            )
        try:
            from aiohttp import web
        except ImportError as error:
            raise DependencyError(f"{what} need the package aiohttp; {extra_line('web')}") from error
        self.name = address.text
        self._web = web
        self._address = address
        self._trained = description.trained
        self._door = Door()
        self._attempts = Allowance(_ATTEMPTS_PER_S, _ATTEMPTS)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._refusal: OSError | UnicodeError | None = None
        self.port = 0
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name=f"sink {self.name}", daemon=True)
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if not self.port:
            why = getattr(self._refusal, "strerror", None) or self._refusal or "the server did not start"
            raise OutputError(f"cannot listen on {self.name}: {why}") from self._refusal

    def close(self) -> None:
        """Send the receivers away and free the port."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2 * _STOP_SECONDS)

    # What follows runs in the server's own thread.

    @abstractmethod
    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one that was let in."""

    def _say_goodbye(self) -> None:
        """Begin to end what is still open; the server waits a moment for it."""

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        except (OSError, UnicodeError) as error:  # the latter of a host that is not a name
            self._refusal = error
        finally:
            self._started.set()
            self._loop.close()

    async def _run(self) -> None:
        application = self._web.Application()
        application.router.add_get(f"/{self._address.path}", self._let_in)
        runner = self._web.AppRunner(
            application, access_log=None, shutdown_timeout=_STOP_SECONDS, keepalive_timeout=HEARTBEAT
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
            self._say_goodbye()
        finally:
            await runner.cleanup()

    async def _let_in(self, request: web.Request) -> web.StreamResponse:
        token, origin = self._address.options.get("token"), request.headers.get("Origin")
        given = request.query.get("token", "")
        if token is not None and not hmac.compare_digest(_bytes(given), _bytes(token)):
            closing = {"Connection": "close"}
            if not self._attempts.spend():
                raise self._web.HTTPTooManyRequests(
                    text="too many wrong tokens; wait a while", headers=closing
                )
            raise self._web.HTTPForbidden(text="the token is missing or wrong", headers=closing)
        if token is None and not is_of_this_machine(request.headers.get("Host", ""), self._address.host):
            raise self._web.HTTPMisdirectedRequest(
                text="this is not a name of this machine; use its number, or give the sink a token="
            )
        if origin is not None and not self._may_listen(origin):
            # What came is not valid text, perhaps: as it is, it could not be answered.
            raise self._web.HTTPForbidden(text=f"pages of {origin!a} may not listen; allow them with origin=")
        self._door.asks(request.transport)
        return await self._answer(request)

    def _may_listen(self, origin: str) -> bool:
        if origin == self._address.options.get("origin"):
            return True
        try:
            return urlsplit(origin).hostname in _LOOPBACK
        except ValueError:  # it is not an address
            return False


def _bytes(text: str) -> bytes:
    """Encode what came from a command line or a client, where it may be no text."""
    return text.encode("utf-8", "surrogateescape")
