"""The newest result over HTTP, asked for by a real client."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request

import pytest

from edgeau.errors import UsageError
from edgeau.sinks.address import Address

pytest.importorskip("aiohttp")


def ask(port: int, path: str = "/", **headers: str) -> tuple[int, str, str | None]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.read().decode(), reply.headers["Access-Control-Allow-Origin"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), None


def test_it_answers_with_the_newest(description, make_result) -> None:
    from edgeau.sinks.http_latest import HttpLatestSink

    with HttpLatestSink(Address.parse("http://:0/aus"), description) as sink:
        assert ask(sink.port, "/aus")[0] == 503
        for index in range(3):
            sink.write(make_result(index))
        code, text, _ = ask(sink.port, "/aus")
        assert (code, json.loads(text)["index"]) == (200, 2)
        assert json.loads(text)["faces"][0]["aus"]["AU1"]["probability"] is None
        assert ask(sink.port, "/")[0] == 404


def test_pages_of_others_and_wrong_tokens_are_refused(description, make_result) -> None:
    from edgeau.sinks.http_latest import HttpLatestSink

    where = "http://:0/?token=abc&origin=https://mine.example"
    with HttpLatestSink(Address.parse(where), description) as sink:
        sink.write(make_result())
        assert ask(sink.port)[0] == 403
        assert ask(sink.port, "/?token=abc")[0] == 200
        assert ask(sink.port, "/?token=abc", Origin="https://other.example")[0] == 403
        assert ask(sink.port, "/?token=abc", Origin="https://mine.example")[::2] == (
            200,
            "https://mine.example",
        )


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::1", ""])
def test_a_page_whose_name_was_made_to_point_here_reads_nothing(description, make_result, host: str) -> None:
    """A browser asks without an Origin header then: to it the page and the sink are one site."""
    from edgeau.sinks.http_latest import HttpLatestSink

    with HttpLatestSink(Address.parse("http://:0"), description) as sink:
        sink.write(make_result())
        assert ask(sink.port, Host=host)[0] in (400, 421)
        assert ask(sink.port, Host="localhost:1")[0] == 200
        assert ask(sink.port, Host="[::1]:80")[0] == 200
    with HttpLatestSink(Address.parse("http://:0/?token=abc"), description) as sink:
        sink.write(make_result())
        assert ask(sink.port, "/?token=abc", Host="behind.a-proxy.example")[0] == 200


def test_an_empty_token_protects_nothing_and_is_refused(description) -> None:
    from edgeau.sinks.http_latest import HttpLatestSink

    with pytest.raises(UsageError, match="the token is empty"):
        HttpLatestSink(Address.parse("http://:0/?token="), description)


@pytest.mark.parametrize("more", [b"Origin: \xff\xfe", b"Origin: http://[::1", b"Host: \xff"])
def test_headers_that_are_no_text_are_refused_and_leave_no_trace(
    description, make_result, caplog, more: bytes
) -> None:
    from edgeau.sinks.http_latest import HttpLatestSink

    with HttpLatestSink(Address.parse("http://:0"), description) as sink:
        sink.write(make_result())
        host = b"" if more.startswith(b"Host") else b"Host: localhost\r\n"
        with socket.create_connection(("127.0.0.1", sink.port), 20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n" + host + more + b"\r\n\r\n")
            assert client.recv(100).split()[1] in (b"403", b"421")
    assert not caplog.records


def test_a_token_that_is_no_text_is_one_that_nobody_has(description, make_result) -> None:
    from edgeau.sinks.http_latest import HttpLatestSink

    with HttpLatestSink(Address.parse("http://:0/?token=\udcff"), description) as sink:
        sink.write(make_result())
        assert ask(sink.port, "/?token=abc")[0] == 403
