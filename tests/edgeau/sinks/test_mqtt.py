"""A real Mosquitto, which is stopped and started while results come."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeau.errors import OutputError
from edgeau.sinks import open_sink
from edgeau.sinks.address import Address
from edgeau.sinks.mqtt import MqttSink

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
client = pytest.importorskip("paho.mqtt.client")


class Broker:
    """A Mosquitto on a loopback port."""

    def __init__(self, folder: Path, port: int, *lines: str) -> None:
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join((f"listener {port} 127.0.0.1", *lines, "")))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [MOSQUITTO, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", self.port)):
                assert time.monotonic() < end, "mosquitto did not start"
                time.sleep(0.02)

    def hang(self) -> None:
        """Take no more, and answer nothing, with the links open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Subscriber:
    """Keeps what a broker gives out."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[tuple[str, str]] = []
        self._client = client.Client(client.CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _d, m: self.messages.append((m.topic, m.payload.decode()))
        subscribed = []
        self._client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: subscribed.append(True)
        # A broker gives a message only to whom it knows: back long before the sink, which waits a second and more.
        self._client.reconnect_delay_set(0.05, 0.05)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        end = time.monotonic() + 10
        while not subscribed:
            assert time.monotonic() < end
            time.sleep(0.01)

    def of(self, topic: str) -> list[str]:
        return [payload for at, payload in self.messages if at == topic]

    def indices(self) -> list[int]:
        return [json.loads(payload)["index"] for payload in self.of("aus/desk")]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[Broker]:
    running = Broker(tmp_path, free_port, "allow_anonymous true")
    yield running
    running.stop()


@pytest.fixture
def subscriber(broker: Broker) -> Iterator[Subscriber]:
    listening = Subscriber(broker)
    yield listening
    listening.close()


@pytest.fixture
def connect(description, broker: Broker, tmp_path: Path) -> Iterator[Callable[..., MqttSink]]:
    opened = []

    def make(query: str = "") -> MqttSink:
        where = f"mqtt://127.0.0.1:{broker.port}/aus/desk?store={tmp_path / 'store'}{query}"
        opened.append(MqttSink(Address.parse(where), description))
        return opened[-1]

    yield make
    for sink in opened:
        sink.close()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_results_arrive_in_order_and_the_status_says_who_is_there(
    connect, subscriber: Subscriber, make_result, until, qos: int
) -> None:
    sink = connect(f"&qos={qos}")
    until(lambda: sink.connected)
    for index in range(50):
        sink.write(make_result(index))
    sink.close()
    until(lambda: subscriber.of("aus/desk/status")[-1:] == ["offline"])
    assert subscriber.indices() == list(range(50))
    assert subscriber.of("aus/desk/status") == ["online", "offline"]
    assert (sink.lost, sink.waiting) == (0, 0)
    assert "age_s" in json.loads(subscriber.of("aus/desk")[0])


def test_what_comes_while_the_broker_is_down_arrives_later_in_order(
    connect, broker: Broker, subscriber: Subscriber, make_result, until, caplog
) -> None:
    sink = connect()
    until(lambda: sink.connected)
    sink.write(make_result(0))
    until(lambda: subscriber.indices() == [0])
    broker.stop()
    until(lambda: not sink.connected)
    for index in range(1, 300):
        sink.write(make_result(index))
    assert sink.waiting == 299
    broker.start()
    until(lambda: sink.connected)
    index = 300
    while sink.waiting:
        sink.write(make_result(index))
        index += 1
        time.sleep(0.005)
    until(lambda: subscriber.indices()[-1:] == [index - 1])
    assert sorted(set(subscriber.indices())) == [*range(index)], "nothing is lost"
    first = list(dict.fromkeys(subscriber.indices()))
    assert first == sorted(first), "and it comes in order"
    assert sink.lost == 0
    assert [r.levelname for r in caplog.records if "results wait on the disk" in r.message]


def test_a_broker_that_is_not_there_yet_costs_nothing(connect, broker: Broker, make_result, until) -> None:
    broker.stop()
    sink = connect()
    start = time.monotonic()
    for index in range(20):
        sink.write(make_result(index))
    assert time.monotonic() - start < 1
    assert sink.waiting == 20
    broker.start()
    subscriber = Subscriber(broker)
    until(lambda: sink.connected)
    sink.write(make_result(20))
    until(lambda: subscriber.indices() == list(range(21)))
    subscriber.close()


def test_what_could_not_be_sent_waits_for_the_next_process(
    connect, broker: Broker, make_result, until
) -> None:
    broker.stop()
    first = connect()
    for index in range(10):
        first.write(make_result(index))
    start = time.monotonic()
    first.close()
    assert time.monotonic() - start < 2
    broker.start()
    subscriber = Subscriber(broker)
    second = connect()
    until(lambda: second.connected)
    second.write(make_result(10))
    until(lambda: subscriber.indices() == list(range(11)))
    subscriber.close()


def test_the_disk_is_bounded_and_the_oldest_are_lost(connect, broker: Broker, make_result, tmp_path) -> None:
    broker.stop()
    sink = connect("&store_mb=0.05")
    for index in range(500):
        sink.write(make_result(index))
    used = sum(path.stat().st_size for path in (tmp_path / "store").iterdir())
    assert used <= 50_000 + 150_000, "the log of the database comes on top"
    assert sink.lost + sink.waiting == 500
    assert 0 < sink.lost < 500


def test_a_message_whose_number_the_status_had_before_waits_for_its_own_confirmation(
    connect, broker: Broker, subscriber: Subscriber, make_result, until
) -> None:
    sink = connect()
    until(lambda: sink.connected and sink._confirmed_early)  # the status is confirmed
    broker.hang()
    sink._client._last_mid = 0  # as after 65,535 messages
    sink.write(make_result(0))
    sink.close()
    assert sink.waiting == 1, "nobody has confirmed it"


def test_messages_that_a_broken_link_took_along_do_not_stop_the_ones_after(
    connect, broker: Broker, make_result, until
) -> None:
    """Without a quality of service nobody confirms what was on its way when the link broke."""
    sink = connect("&qos=0")
    until(lambda: sink.connected)
    broker.hang()
    index = 0
    while not sink.waiting:  # until the system takes no more, and as many are on their way as may be
        sink.write(make_result(index, faces=400))
        index += 1
    broker.stop()
    until(lambda: not sink.connected)
    broker.start()
    subscriber = Subscriber(broker)
    until(lambda: sink.connected)
    sink.write(make_result(index))
    until(lambda: index in subscriber.indices())
    subscriber.close()
    first = list(dict.fromkeys(subscriber.indices()))
    assert first == list(range(first[0], index + 1)), "what waited comes too, in order"


UNCONFIRMED = """
import os, sys, time
from edgeau.results import FrameResult
from edgeau.sinks import Description
from edgeau.sinks.address import Address
from edgeau.sinks.mqtt import MqttSink
sink = MqttSink(Address.parse(sys.argv[1]), Description(("AU1",)))
while not sink.connected:
    time.sleep(0.01)
for index in range(80):
    sink.write(FrameResult(index=index, time_s=index / 30, age_s=0.0, dropped=0, faces=()))
os.kill(os.getpid(), 9)
"""


def test_what_a_broker_has_not_confirmed_survives_kill_9(
    tmp_path: Path, connect, broker: Broker, subscriber: Subscriber, make_result, until
) -> None:
    """A broker that takes and never confirms; the sender is killed; the next one sends all of it to a real broker."""
    mute = socket.create_server(("127.0.0.1", 0))

    def swallow() -> None:
        connection, _ = mute.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            connection.sendall(b"\x20\x02\x00\x00")
            while connection.recv(65536):
                pass

    threading.Thread(target=swallow, daemon=True).start()
    where = f"mqtt://127.0.0.1:{mute.getsockname()[1]}/aus/desk?store={tmp_path / 'store'}"
    done = subprocess.run([sys.executable, "-c", UNCONFIRMED, where], check=False, timeout=60)
    assert done.returncode == -9
    mute.close()
    sink = connect()
    until(lambda: sink.connected)
    sink.write(make_result(80))
    until(lambda: subscriber.indices() == list(range(81)))
    sink.close()
    assert (sink.waiting, sink.lost) == (0, 0)


def test_without_a_store_results_are_lost_and_counted(description, free_port: int, make_result) -> None:
    with open_sink(f"mqtt://127.0.0.1:{free_port}/t?store=off", description) as sink:
        sink.write(make_result())
        sink.write(make_result())
    assert sink.report.failed == 2
    assert "there is no store" in str(sink.report.error)


def test_when_the_process_dies_the_broker_says_offline(
    broker: Broker, subscriber: Subscriber, until, tmp_path
) -> None:
    program = (
        "import os, time\nfrom edgeau.sinks import Description\nfrom edgeau.sinks.address import Address\n"
        "from edgeau.sinks.mqtt import MqttSink\n"
        f"sink = MqttSink(Address.parse('mqtt://127.0.0.1:{broker.port}/aus/desk?store=off'), Description(('AU1',)))\n"
        "while not sink.connected: time.sleep(.01)\n"
        "time.sleep(.2)\nos._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    until(lambda: subscriber.of("aus/desk/status") == ["online", "offline"])


def certificate(folder: Path, name: str, *arguments: str) -> tuple[Path, Path]:
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={name}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return key, cert


@pytest.fixture
def tls_broker(tmp_path: Path, free_port: int) -> Iterator[Broker]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert = certificate(tmp_path, "broker", "-addext", "subjectAltName=IP:127.0.0.1")
    password_file = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-c", "-b", str(password_file), "desk", "p/w"], check=True, capture_output=True)
    password_file.chmod(0o644)
    key.chmod(0o644)  # a broker started as root gives its rights up before it reads
    for folder in (tmp_path, *tmp_path.parents[:3]):  # with several test processes there is one folder more
        folder.chmod(folder.stat().st_mode | 0o055)
    lines = (f"certfile {cert}", f"keyfile {key}", "allow_anonymous false", f"password_file {password_file}")
    running = Broker(tmp_path, free_port, *lines)
    yield running
    running.stop()


def test_tls_with_a_verified_certificate_and_a_password(
    tls_broker: Broker, tmp_path: Path, description, make_result, until, monkeypatch
) -> None:
    monkeypatch.setenv("EDGEAU_MQTT_PASSWORD", "p/w")
    where = f"mqtts://desk@127.0.0.1:{tls_broker.port}/aus/desk?store=off&ca={tmp_path / 'broker.pem'}"
    got = []
    listener = client.Client(client.CallbackAPIVersion.VERSION2)
    listener.tls_set(str(tmp_path / "broker.pem"), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    listener.username_pw_set("desk", "p/w")
    listener.on_message = lambda _c, _d, message: got.append(json.loads(message.payload)["index"])
    listener.on_connect = lambda c, *_: c.subscribe("aus/desk")
    ready = []
    listener.on_subscribe = lambda *_: ready.append(True)
    listener.connect("127.0.0.1", tls_broker.port)
    listener.loop_start()
    until(lambda: ready)
    sink = MqttSink(Address.parse(where), description)
    until(lambda: sink.connected)
    sink.write(make_result(5))
    until(lambda: got == [5])
    sink.close()
    listener.disconnect()
    listener.loop_stop()


def test_an_unknown_certificate_is_refused_and_said(
    tls_broker: Broker, tmp_path: Path, description, make_result, until, caplog
) -> None:
    _, other = certificate(tmp_path, "other")
    sink = MqttSink(Address.parse(f"mqtts://127.0.0.1:{tls_broker.port}/t?store=off&ca={other}"), description)
    until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
    with pytest.raises(OutputError, match="CERTIFICATE_VERIFY_FAILED"):
        sink.write(make_result())
    sink.close()


def test_a_wrong_password_is_said(
    tls_broker: Broker, tmp_path: Path, description, make_result, until, caplog
) -> None:
    with caplog.at_level(logging.WARNING):
        ca = tmp_path / "broker.pem"
        where = f"mqtts://desk:wrong@127.0.0.1:{tls_broker.port}/t?store=off&ca={ca}"
        sink = MqttSink(Address.parse(where), description)
        until(lambda: "Not authorized" in caplog.text)
        with pytest.raises(OutputError, match="the broker refused: Not authorized"):
            sink.write(make_result())
        sink.close()
    assert "desk:wrong" not in caplog.text


def test_without_a_store_what_a_hanging_broker_never_confirmed_is_counted(
    description, broker: Broker, make_result, until
) -> None:
    sink = MqttSink(Address.parse(f"mqtt://127.0.0.1:{broker.port}/aus/desk?store=off"), description)
    until(lambda: sink.connected)
    broker.hang()
    for index in range(100):
        sink.write(make_result(index))
    with pytest.raises(
        OutputError, match="100 messages wait for the broker's confirmation, and there is no store"
    ):
        sink.write(make_result(100))
    sink.close()
    assert sink.lost == 100
