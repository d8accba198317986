"""Datagrams to one receiver, which may or may not be there."""

from __future__ import annotations

import socket
from contextlib import suppress

from edgeau.errors import OutputError

__all__ = ["Datagrams"]

# Of IPv4: 65,535 less the headers of IP (20) and UDP (8).
_LARGEST = 65507


class Datagrams:
    """Sends UDP datagrams. Nobody answers, so what the network loses is not known; a machine on which nobody listens says so.

    A host may have several addresses, as ``localhost`` has ::1 and 127.0.0.1: where nobody listens at one, the next one is taken.

    Args:
        host: name or number, IPv4 or IPv6; looked up at the first datagram, again after a failure.
        port: port of the receiver.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._socket: socket.socket | None = None
        self._place = 0  # of the host's addresses

    def send(self, content: bytes) -> None:
        """Send one datagram.

        Raises:
            OutputError: it is too large, the host is not known, there is no way to it, or an earlier one was lost because
                nobody listens: this one is sent all the same.
        """
        if len(content) > _LARGEST:
            raise OutputError(f"a result of {len(content)} bytes does not fit into a datagram ({_LARGEST})")
        try:
            self._try(content)
        except ConnectionRefusedError as error:
            # The receiver's machine said of an *earlier* datagram that nobody listens: it may listen by now, or elsewhere.
            self.close()
            self._place += 1
            with suppress(OSError):
                self._try(content)
            raise OutputError(
                f"nothing is listening on {self._host}:{self._port}, so that an earlier result was lost"
            ) from error
        except (OSError, UnicodeError) as error:  # the latter of a host that is not a name
            self.close()
            why = getattr(error, "strerror", None) or error
            raise OutputError(
                f"cannot send to {self._host}:{self._port}: {why}; check the address"
            ) from error

    def close(self) -> None:
        """Release the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _try(self, content: bytes) -> None:
        if self._socket is None:
            self._socket = self._connected()
        self._socket.send(content)

    def _connected(self) -> socket.socket:
        """A socket to the first of the host's addresses, from the current place on, that there is a way to."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        start = self._place % len(found)
        for number, (family, kind, protocol, _, address) in enumerate(found[start:] + found[:start], 1):
            try:
                opened = socket.socket(family, kind, protocol)
            except OSError:  # a system without IPv6
                if number == len(found):
                    raise
                continue
            try:
                opened.connect(address)
            except BaseException as error:
                opened.close()
                if isinstance(error, OSError) and number < len(found):
                    continue
                raise
            return opened
        raise OSError("it has no address")
