"""Connections before anything is asked on them: how many there may be, and how long one may take to ask.

A program with a camera must stay reachable for its owner while somebody else opens sockets and says nothing, without a token
having been asked for yet. Whoever has sent a whole request keeps the connection; of the others the oldest goes when the room is full.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import cast

__all__ = ["Door"]

_MOST = 256
_HEAD_S = 10.0  # from the connection to the end of its first request's head


class Door:
    """Counts connections, and lets go of those that ask nothing.

    Args:
        most: connections at a time; at most a quarter of the files that this process may open.
        head_s: how long a connection may take to send its first request's head, seconds.

    Attributes:
        most: connections at a time.
        backlog: for ``create_server``: asyncio accepts so many at once before it tells of the first.
    """

    def __init__(self, *, most: int = _MOST, head_s: float = _HEAD_S) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = min(most, files // 4) if files > 0 else most
        self.backlog = max(self.most // 8, 1)
        self._head_s = head_s
        self._silent: dict[asyncio.BaseTransport, _Connection] = {}  # in the order in which they came
        self._asking: set[asyncio.BaseTransport] = set()

    def guarding(self, make: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.Protocol]:
        """Make the factory of the protocol of each connection that comes.

        Args:
            make: makes the protocol that speaks HTTP.
        """
        return lambda: _Connection(self, cast("asyncio.Protocol", make()))

    @property
    def open(self) -> int:
        """Connections that there are."""
        return len(self._silent) + len(self._asking)

    def asks(self, transport: asyncio.BaseTransport | None) -> None:
        """A whole request came on this connection: it may stay."""
        if transport is not None and transport in self._silent:
            self._silent.pop(transport).keep()
            self._asking.add(transport)

    def admit(self, connection: _Connection, transport: asyncio.Transport) -> None:
        """Take a connection in; where there is no room, the oldest that asked nothing goes, or else this one."""
        self._silent[transport] = connection
        connection.timer = asyncio.get_running_loop().call_later(self._head_s, transport.abort)
        if self.open > self.most:
            oldest = next(iter(self._silent))
            self.forget(oldest)
            cast("asyncio.Transport", oldest).abort()

    def forget(self, transport: asyncio.BaseTransport) -> None:
        """A connection has gone."""
        self._silent.pop(transport, None)
        self._asking.discard(transport)


class _Connection(asyncio.Protocol):
    """One connection: everything but its coming and going belongs to the protocol inside."""

    def __init__(self, door: Door, inner: asyncio.Protocol) -> None:
        self._door, self._inner = door, inner
        self._transport: asyncio.BaseTransport | None = None
        self.timer: asyncio.TimerHandle | None = None

    def keep(self) -> None:
        """It may stay."""
        if self.timer is not None:
            self.timer.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._inner.connection_made(transport)
        self._door.admit(self, cast("asyncio.Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:
        self.keep()
        if self._transport is not None:
            self._door.forget(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
