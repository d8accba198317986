"""Connections before anything is asked on them: how many there may be, how long one may take to ask, and their encryption.

A program with a camera must stay reachable for its owner while somebody else opens sockets and says nothing, without a token
having been asked for yet. Whoever was let in keeps the connection; of the others the oldest goes when the room is full. Handshakes of TLS
take place behind the door, so that they count too.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

__all__ = ["Door"]

_MOST = 256
_HEAD_S = 10.0  # from the connection to the end of its first request's head


def _most_files() -> int | None:
    """Limit on the files that this process may have open; None where there is none."""
    try:
        import resource  # not on every system
    except ImportError:
        return None
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return files if files > 0 else None


class Door:
    """Counts connections, and lets go of those that ask nothing.

    Args:
        most: connections at a time; at most a quarter of the files that this process may open.
        head_s: how long a connection may take to be let in, its handshake and the head of its first request included, seconds.
        tls: certificate and key; None for no encryption.

    Attributes:
        most: connections at a time.
        backlog: for ``create_server``: asyncio accepts so many at once before it tells of the first.
    """

    def __init__(
        self, *, most: int = _MOST, head_s: float = _HEAD_S, tls: ssl.SSLContext | None = None
    ) -> None:
        files = _most_files()
        self.most = most if files is None else min(most, files // 4)
        self.backlog = max(self.most // 8, 1)
        self.head_s = head_s
        self.tls = tls
        self._silent: dict[_Connection, None] = {}  # in the order in which they came
        self._asking: set[_Connection] = set()
        self._of: dict[asyncio.BaseTransport, _Connection] = {}

    def guarding(self, make: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.Protocol]:
        """Make the factory of the protocol of each connection that comes; ``create_server`` gets no ``ssl``.

        Args:
            make: makes the protocol that speaks HTTP.
        """
        return lambda: _Connection(self, cast("asyncio.Protocol", make()))

    @property
    def open(self) -> int:
        """Connections that there are."""
        return len(self._silent) + len(self._asking)

    def asks(self, transport: asyncio.BaseTransport | None) -> None:
        """Somebody who may ask has asked on this connection: it may stay."""
        connection = None if transport is None else self._of.get(transport)
        if connection in self._silent:
            del self._silent[connection]
            connection.keep()
            self._asking.add(connection)

    def admit(self, connection: _Connection) -> None:
        """Take a connection in; where there is no room, the oldest that asked nothing goes, or else this one."""
        self._silent[connection] = None
        if self.open > self.most:
            oldest = next(iter(self._silent))
            self.forget(oldest)
            oldest.abort()

    def knows(self, transport: asyncio.BaseTransport, connection: _Connection) -> None:
        """The transport on which requests come."""
        self._of[transport] = connection

    def forget(self, connection: _Connection) -> None:
        """A connection has gone."""
        self._silent.pop(connection, None)
        self._asking.discard(connection)
        for transport in connection.transports:
            self._of.pop(transport, None)


class _Connection(asyncio.Protocol):
    """One connection: everything but its coming, its encryption and its going belongs to the protocol inside."""

    def __init__(self, door: Door, inner: asyncio.Protocol) -> None:
        self._door, self._inner = door, inner
        self._timer: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._begun = self._ended = False
        self._early: list[bytes] = []  # came with the end of the handshake
        self.transports: list[asyncio.BaseTransport] = []

    def keep(self) -> None:
        """It may stay."""
        if self._timer is not None:
            self._timer.cancel()

    def abort(self) -> None:
        """Let it go at once."""
        cast("asyncio.Transport", self.transports[0]).abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transports.append(transport)
        self._timer = asyncio.get_running_loop().call_later(self._door.head_s, self.abort)
        if self._door.tls is None:
            self._begin(transport)
        else:
            self._handshake = asyncio.ensure_future(self._encrypt(self._door.tls))
        self._door.admit(self)

    async def _encrypt(self, tls: ssl.SSLContext) -> None:
        raw = cast("asyncio.Transport", self.transports[0])
        try:
            transport = await asyncio.get_running_loop().start_tls(
                raw, self, tls, server_side=True, ssl_handshake_timeout=self._door.head_s
            )
        except (OSError, asyncio.CancelledError):  # no handshake came, or somebody speaks something else
            raw.abort()
            self.connection_lost(None)
            return
        if transport is None or self._ended:
            raw.abort()
            self.connection_lost(None)
            return
        self.transports.append(transport)
        self._begin(transport)
        for data in self._early:
            self._inner.data_received(data)
        self._early.clear()

    def _begin(self, transport: asyncio.BaseTransport) -> None:
        self._begun = True
        self._door.knows(transport, self)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.keep()
        self._door.forget(self)
        if self._begun:
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._begun:
            self._inner.data_received(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._begun else None

    def pause_writing(self) -> None:
        if self._begun:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._begun:
            self._inner.resume_writing()
