"""The newest result to everybody who asks for it, as one JSON document over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.served import ServedSink
from edgeau.sinks.tables.jsonl import frame_document, json_line

if TYPE_CHECKING:  # of an extra; it is imported when the sink opens
    from aiohttp import web

__all__ = ["HttpLatestSink"]

_FORM = "http://HOST:PORT/PATH, HOST being what to listen on: 127.0.0.1, or 0.0.0.0 for everybody"


class HttpLatestSink(ServedSink):
    """Answers ``GET`` with the newest result, as :mod:`edgeau.sinks.tables.jsonl` writes it; 503 before the first one.

    Nothing is kept but the newest, so whoever asks seldom misses what was between: use a WebSocket to get all.

    Args:
        address: what to listen on; without a host the loopback, port 0 takes a free one.
        description: description of the results.

    Raises:
        UsageError: the address does not fit.
        OutputError: the port is taken.
        DependencyError: aiohttp is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        self._newest: FrameResult | None = None
        super().__init__(address, description, _FORM, "HTTP servers")

    def write(self, result: FrameResult) -> None:
        """Keep it until the next one."""
        self._newest = result

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        newest = self._newest
        if newest is None:
            raise self._web.HTTPServiceUnavailable(text="there is no result yet")
        headers = {"Cache-Control": "no-store"}
        if (origin := request.headers.get("Origin")) is not None:  # let in already
            headers["Access-Control-Allow-Origin"] = origin
        line = json_line(frame_document(newest, trained=self._trained, live=True))
        answer: web.Response = self._web.Response(text=line, content_type="application/json", headers=headers)
        return answer
