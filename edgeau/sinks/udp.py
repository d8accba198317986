"""Results as JSON datagrams, one a frame."""

from __future__ import annotations

from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.datagrams import Datagrams
from edgeau.sinks.description import Description
from edgeau.sinks.sink import Sink
from edgeau.sinks.tables.jsonl import frame_document, json_line

__all__ = ["UdpSink"]


class UdpSink(Sink):
    """Sends each result, as :mod:`edgeau.sinks.tables.jsonl` writes it, to ``udp://HOST:PORT``.

    Args:
        address: address of the receiver.
        description: description of the results.

    Raises:
        UsageError: the address lacks something.
    """

    def __init__(self, address: Address, description: Description) -> None:
        address.check("udp://HOST:PORT", port=True, path=None)
        assert address.port is not None
        self.name = address.text
        self._trained = description.trained
        self._datagrams = Datagrams(address.host, address.port)

    def write(self, result: FrameResult) -> None:
        """Send it.

        Raises:
            OutputError: it is too large for a datagram, or there is no way to the receiver.
        """
        document = frame_document(result, trained=self._trained, live=True)
        self._datagrams.send(json_line(document).encode())

    def close(self) -> None:
        """Release the socket."""
        self._datagrams.close()
