"""Access control: the Host and Origin of every request, the token, and how often something may be changed."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from edgeau._system.allowance import Allowance
from edgeau._system.door import Door
from edgeau._system.host_header import is_of_this_machine

__all__ = ["COOKIE", "LIVE_HEADERS", "Guard", "Handler", "is_loopback"]

COOKIE = "edgeau-token"
_CHANGES_PER_S, _BURST = 5.0, 20.0
_ATTEMPTS_PER_S, _ATTEMPTS = 1.0, 20.0  # wrong tokens, of everybody together
LIVE_HEADERS = {
    # Pictures and styles of our own only; blob: is the recording that is saved.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Middleware in front of every request.

    A request whose Host header does not name this machine is refused (:func:`edgeau._system.host_header.is_of_this_machine`).

    Args:
        token: that every request must bring (in the cookie that the first one with ``?token=`` sets, or as ``Authorization: Bearer``);
            None for none.
        open_paths: paths that need no token.
        door: told of every connection whose owner may ask; the others go again.
        headers: of every response, refusals too.
        names: that this machine has besides its own, such as the one that the page was told to listen on.
    """

    def __init__(
        self,
        token: str | None,
        door: Door,
        open_paths: tuple[str, ...] = (),
        headers: Mapping[str, str] = LIVE_HEADERS,
        names: Iterable[str] = (),
    ) -> None:
        self._door = door
        self._headers = dict(headers)
        self._token = token
        self._open_paths = open_paths
        self._names = tuple(names)
        self._changes = Allowance(_CHANGES_PER_S, _BURST)
        self._attempts = Allowance(_ATTEMPTS_PER_S, _ATTEMPTS)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse, or pass on and add the headers."""
        self._check_host(request)
        self._check_origin(request)
        closed = self._token is not None and request.path not in self._open_paths
        if closed and not self._known(request):
            # Whoever has the token is never kept out by others' attempts.
            refusal: type[web.HTTPException] = web.HTTPUnauthorized
            says = "a token is needed: open the address that the program printed\n"
            if not self._attempts.spend():
                refusal, says = web.HTTPTooManyRequests, "too many wrong tokens; wait a while\n"
            raise refusal(text=says, headers={**self._headers, "Connection": "close"})
        if request.path not in self._open_paths:
            self._door.asks(request.transport)
        if request.method not in ("GET", "HEAD"):
            self._spend_change()
        if closed and "token" in request.query:  # it was compared above: on an open path nothing was
            return self._with_cookie(secure=request.secure)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(self._headers)
            raise
        if not response.prepared:
            response.headers.update(self._headers)
        return response

    def headers(self) -> dict[str, str]:
        """For responses that are prepared by their handlers."""
        return dict(self._headers)

    def _check_host(self, request: web.Request) -> None:
        if not is_of_this_machine(request.headers.get("Host", ""), *self._names):
            raise web.HTTPMisdirectedRequest(
                text="this is not a name of this machine\n", headers=self._headers
            )

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is None:
            if request.method not in ("GET", "HEAD") or request.path in ("/numbers", "/camera"):
                raise web.HTTPForbidden(text="the Origin header is missing\n", headers=self._headers)
            return
        if _parts(origin).netloc.lower() != request.headers.get("Host", "").lower():
            raise web.HTTPForbidden(text="another page must not use this one\n", headers=self._headers)

    def _known(self, request: web.Request) -> bool:
        kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
        given = (
            request.query.get("token") or request.cookies.get(COOKIE) or (bearer if kind == "Bearer" else "")
        )
        # aiohttp hands over bytes of a header that are no UTF-8 as surrogates.
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), (self._token or "").encode())

    def _with_cookie(self, *, secure: bool) -> web.Response:
        """To the page itself, so that the token does not stay in the address bar."""
        response = web.Response(status=303, headers={"Location": "/", **self._headers})
        response.set_cookie(
            COOKIE, self._token or "", httponly=True, secure=secure, samesite="Strict", path="/"
        )
        return response

    def _spend_change(self) -> None:
        if not self._changes.spend():
            raise web.HTTPTooManyRequests(text="too many changes; wait a second\n", headers=self._headers)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a bound address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(address: str) -> SplitResult:
    """The parts of an address; empty ones where it is none."""
    try:
        return urlsplit(address)
    except ValueError:  # a bracket that is not closed
        return urlsplit("")
