"""Datagrams to one receiver, which may or may not be there."""

from __future__ import annotations

import socket

from edgeau.errors import OutputError

__all__ = ["Datagrams"]

# Of IPv4: 65,535 less the headers of IP (20) and UDP (8).
_LARGEST = 65507


class Datagrams:
    """Sends UDP datagrams. Nobody answers, so what the network loses is not known.

    Args:
        host: name or number, IPv4 or IPv6; looked up at the first datagram, again after a failure.
        port: port of the receiver.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._socket: socket.socket | None = None

    def send(self, content: bytes) -> None:
        """Send one datagram.

        Raises:
            OutputError: it is too large, the host is not known, or there is no way to it.
        """
        if len(content) > _LARGEST:
            raise OutputError(f"a result of {len(content)} bytes does not fit into a datagram ({_LARGEST})")
        try:
            if self._socket is None:
                self._socket = self._connected()
            self._socket.send(content)
        except ConnectionRefusedError:
            # The receiver's machine said of an *earlier* datagram that nobody listens: it may listen by now.
            self._again(content)
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

    def _again(self, content: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.send(content)
        except OSError as error:
            raise OutputError(f"nothing is listening on {self._host}:{self._port}") from error

    def _connected(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_DGRAM
        )[0]
        opened = socket.socket(family, kind, protocol)
        try:
            opened.connect(address)
        except BaseException:
            opened.close()
            raise
        return opened
