"""UDP and OSC over real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from edgeau.errors import OutputError
from edgeau.sinks import open_sink
from edgeau.sinks.datagrams import Datagrams


@pytest.fixture(params=["127.0.0.1", "::1"])
def receiver(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listening = socket.socket(family, socket.SOCK_DGRAM)
        listening.bind((request.param, 0))
    except OSError as error:
        pytest.skip(f"no {request.param} here: {error}")
    listening.settimeout(5)
    with listening:
        host = f"[{request.param}]" if ":" in request.param else request.param
        yield listening, f"{host}:{listening.getsockname()[1]}"


def test_udp_sends_one_json_a_frame_with_its_age(receiver, description, make_result) -> None:
    listening, where = receiver
    with open_sink(f"udp://{where}", description) as sink:
        sink.write(make_result(7, faces=4))
        document = json.loads(listening.recv(65535))
    assert (document["index"], document["age_s"], document["dropped"]) == (7, 0.025, 2)
    assert len(document["faces"]) == 4


def test_osc_sends_one_bundle_a_frame(receiver, description, make_result) -> None:
    osc = pytest.importorskip("pythonosc.osc_bundle")
    listening, where = receiver
    with open_sink(f"osc://{where}/stage", description) as sink:
        sink.write(make_result(7))
        bundle = osc.OscBundle(listening.recv(65535))
    messages = {message.address: message.params for message in bundle}
    assert messages["/stage/frame"][0] == 7
    assert messages["/stage/0/AU12"] == [0.75, 1, 0.5]
    assert messages["/stage/0/pose"] == [1, 2, 3]
    assert messages["/stage/0/AU1/refused"] == ["pose"]
    assert "/stage/0/AU1" not in messages, "a refused AU is absent, not 0"


def test_nobody_listening_stops_nothing_and_a_late_listener_hears(
    description, make_result, free_port: int
) -> None:
    with open_sink(f"udp://127.0.0.1:{free_port}", description) as sink:
        for index in range(5):
            sink.write(make_result(index))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", free_port))
            late.settimeout(5)
            sink.write(make_result(5))
            indices = [json.loads(late.recv(65535))["index"]]
            while indices[-1] != 5:
                indices.append(json.loads(late.recv(65535))["index"])


def test_a_host_that_does_not_exist_is_lost_and_said(description, make_result) -> None:
    with open_sink("udp://no-such-host.invalid:9", description) as sink:
        sink.write(make_result())
    assert sink.report.failed == 1
    assert "no-such-host.invalid:9" in str(sink.report.error)


def test_a_result_too_large_for_a_datagram_is_lost_and_said(receiver, description, make_result) -> None:
    _, where = receiver
    with open_sink(f"udp://{where}", description) as sink:
        sink.write(make_result(faces=400))
    assert "does not fit into a datagram" in str(sink.report.error)


def test_a_host_that_is_no_name_is_said_in_one_line(description, make_result, caplog) -> None:
    with open_sink(f"udp://{'a' * 70}:9000", description) as sink:
        sink.write(make_result())
    assert sink.report.failed == 1
    assert "check the address" in str(sink.report.error)
    assert all(record.exc_info is None for record in caplog.records), "it is no bug of ours"


def test_of_several_addresses_the_one_at_which_somebody_listens_is_found(monkeypatch) -> None:
    """localhost is ::1 first on most systems, and most receivers listen at 127.0.0.1: all was lost without a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        port = listening.getsockname()[1]
        both = [
            socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0] for host in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        sender = Datagrams("localhost", port)
        sender.send(b"lost")
        with pytest.raises(OutputError, match="nothing is listening on localhost"):
            sender.send(b"0")
        sender.send(b"1")
        assert [listening.recv(10) for _ in range(2)] == [b"0", b"1"]
        sender.close()


def test_what_nobody_hears_on_this_machine_is_counted(description, make_result, free_port: int) -> None:
    with open_sink(f"udp://127.0.0.1:{free_port}", description, lossless=True) as sink:
        for index in range(10):
            sink.write(make_result(index))
    assert sink.report.failed == 9, "of the last one nobody has heard yet"
    assert "nothing is listening" in str(sink.report)
