"""One call for every sink, and clear words for what is none."""

from __future__ import annotations

import json

import pytest

from edgeau.errors import DependencyError, OutputError, UsageError
from edgeau.sinks import open_sink
from edgeau.sinks.address import Address

BAD = [
    ("aus.xlsx", "cannot go to 'aus.xlsx'; they can go to a file (.csv"),
    ("results", "they can go to"),
    ("ftp://host/there", "cannot go to 'ftp://host/there'"),
    ("udp://host", "has no port; such an address is udp://HOST:PORT"),
    ("udp://:9000", "has no host"),
    ("osc://host:9000?speed=1", "unknown option 'speed'; known: none"),
    ("ws://127.0.0.1", "has no port"),
    ("http://127.0.0.1", "has no port"),
    ("lsl://?faces=9", "faces must be 1..8"),
    ("vmc://:39539", "has no host"),
    ("mqtt://broker", "has no path"),
    ("mqtt://broker/a/#", "has a #"),
    ("mqtt://broker/a/%23", "a topic to publish under"),
    ("mqtt://broker/t?qos=3", "qos must be 0..2, got '3'"),
    ("mqtt://broker/t?qos=high", "qos must be 0..2"),
    ("mqtt://broker/t?qos=0.5", "qos must be a whole number, got '0.5'"),
    ("lsl://?faces=1.5", "faces must be a whole number, got '1.5'"),
    ("mqtt://broker/t?qos=1&qos=2", "gives an option twice"),
    ("mqtts://broker/t?store=off&ca=/no/such.pem", "certificates (ca=/no/such.pem) cannot be used"),
    ("udp://host:99999", "is not an address"),
    ("ws://me:hunter2@127.0.0.1:0", "has a user's name, which has no use here"),
    ("udp://me@host:1", "has a user's name"),
    ("udp://host:1/path", "has a path, which has no use here"),
    ("vmc://host/path", "has a path"),
    ("lsl://edgeau-2", "has a host"),
    ("lsl://?name=", "name must not be empty"),
    (" mqtt://broker/t", "has blanks around it"),
    ("mqtt://bro\nker/t", "signs in it that are no text"),
    (7, "results cannot go to a int"),
]


@pytest.mark.parametrize(("where", "message"), BAD)
def test_what_is_no_sink_is_said_with_what_is(description, where, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_sink(where, description)
    assert message in str(caught.value)


def test_a_secret_is_not_in_a_message() -> None:
    assert "hunter2" not in Address.parse("mqtt://me:hunter2@broker/t").text
    assert "hunter2" not in Address.parse("ws://:8000?token=hunter2").text
    assert "hunter2" not in repr(Address.parse("mqtt://me:hunter2@broker/t?token=hunter2"))


def test_escapes_are_undone() -> None:
    address = Address.parse("mqtts://me%40home:p%2Fw@broker:1/a%20b/c?store=x%26y")
    assert (address.user, address.password, address.path) == ("me@home", "p/w", "a b/c")
    assert address.options == {"store": "x&y"}


def test_a_function_takes_results(description, make_result) -> None:
    seen = []
    with open_sink(seen.append, description) as sink:
        sink.write(make_result(3))
    assert [result.index for result in seen] == [3]


def test_a_dash_is_standard_output(description, make_result, capsys: pytest.CaptureFixture[str]) -> None:
    with open_sink("-", description) as sink:
        sink.write(make_result(3))
    assert json.loads(capsys.readouterr().out)["index"] == 3


def test_a_pipeline_describes_itself(bundle_path, make_result, tmp_path) -> None:
    from edgeau import Pipeline
    from edgeau.sinks import Description

    with Pipeline.load(bundle_path) as pipeline:
        described = Description.of(pipeline)
    assert described.labels == pipeline.labels
    assert described.trained


@pytest.mark.parametrize(
    ("where", "package", "advice"),
    [
        ("mqtt://host/topic", "paho.mqtt.client", "edgeau[mqtt]"),
        ("osc://host:1", "pythonosc", "edgeau[osc]"),
        ("ws://:0", "aiohttp", "edgeau[web]"),
        ("http://:0", "aiohttp", "edgeau[web]"),
        ("lsl://", "pylsl", "edgeau[lsl]"),
        ("vmc://host", "pythonosc", "edgeau[osc]"),
        ("there.parquet", "pyarrow", "edgeau[parquet]"),
    ],
)
def test_a_missing_package_is_named(
    description, monkeypatch, tmp_path, where: str, package: str, advice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(DependencyError) as caught:
        open_sink(where, description)
    assert advice in str(caught.value)


def test_a_taken_port_is_said(description, free_port: int) -> None:
    pytest.importorskip("aiohttp")
    with open_sink(f"ws://:{free_port}", description), pytest.raises(OutputError, match="cannot listen"):
        open_sink(f"ws://:{free_port}", description)
