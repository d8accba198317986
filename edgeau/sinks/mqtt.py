"""Results to an MQTT broker; while it cannot be reached they wait on the disk."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from edgeau._system.cache import cache_directory
from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, OutputError, UsageError
from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.description import Description
from edgeau.sinks.home_assistant import HomeAssistant
from edgeau.sinks.offline_store import OfflineStore
from edgeau.sinks.sink import Sink
from edgeau.sinks.tables.jsonl import frame_document, json_line

__all__ = ["MqttSink"]

_log = logging.getLogger(__name__)

_FORM = "mqtt://USER@HOST:PORT/TOPIC, or mqtts:// for TLS"
_OPTIONS = ("qos", "client_id", "store", "store_mb", "ca", "cert", "key", "discovery", "every")
_PASSWORD = "EDGEAU_MQTT_PASSWORD"  # noqa: S105 - the variable's name
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE = 15  # seconds; a link that died without a word is noticed after this
_RECONNECT = (1, 30)  # seconds between attempts: first, and at most
# Messages that the broker has not confirmed yet, at most; more wait on the disk, where they are bounded.
_WINDOW = 100
_FLUSH_SECONDS = 0.6
_END_SECONDS = 0.2


class MqttSink(Sink):
    """Publishes each result, as :mod:`edgeau.sinks.tables.jsonl` writes it, under a topic.

    ``TOPIC/status`` holds ``online`` while it is connected and ``offline`` else: the broker's last will for this client
    says so also when the process dies. With ``qos=1`` or ``2`` a message lies on the disk, synced, before it is sent and until
    the broker has confirmed it, over kills and power cuts too, and arrives at least once (again where the confirmation got
    lost, or the process ended before it came). With ``qos=0`` messages wait on the disk only while the broker cannot be
    reached, and those on their way when a link breaks may be lost unnoticed. What does not fit is lost, oldest first, and
    counted. Messages go out in order.

    Options of the address: ``qos`` 0, 1 (default) or 2; ``client_id``; ``store``, the folder of waiting messages
    (default: in the user's cache directory; ``off`` keeps none); ``store_mb``, its bound in megabytes (16); for TLS
    ``ca``, ``cert`` and ``key``, PEM files. Certificates are always verified. A password may come from the variable
    ``EDGEAU_MQTT_PASSWORD``, where other users of the machine do not see it. ``discovery=homeassistant`` (Home Assistant's
    discovery prefix) announces entities and keeps their state under ``TOPIC/state``, at most every ``every`` seconds (1) unless a
    decision changes: :mod:`edgeau.sinks.home_assistant`.

    Args:
        address: address of broker and topic.
        description: description of the results.

    Raises:
        UsageError: the address does not fit.
        OutputError: the store cannot be used.
        DependencyError: paho-mqtt is missing.
    """

    def __init__(self, address: Address, description: Description) -> None:
        address.check(_FORM, *_OPTIONS, path=True, user=True)
        self.name = address.text
        self._topic = _topic(address)
        self._qos = address.whole_number("qos", 1, 0, 2)
        self._trained = description.trained
        self._assistant = _assistant(address, self._topic, description)
        self._client = _client(address, f"{self._topic}/status")
        self._store = _store(address)
        self._online = threading.Event()
        self._why = "not connected yet"
        self._last = 0  # number of the newest message of the store that was given to the client
        self._unconfirmed: dict[int, int | None] = {}  # the client's number -> the store's
        self._confirmed_early: set[int] = set()
        self._confirmed: list[int] = []
        self._dropped: list[int] = []
        self._confirming = threading.Lock()
        self._closing = self._closed = False
        self._left = self._left_unkept = 0
        self._connect(address)

    @property
    def lost(self) -> int:
        """Messages that did not fit into the store; without one, those that the broker had not confirmed when the sink was closed."""
        return self._left_unkept if self._store is None else self._store.lost

    @property
    def waiting(self) -> int:
        """Messages on the disk that were not sent yet."""
        if self._closed:
            return self._left
        return 0 if self._store is None else self._store.count_after(self._last)

    @property
    def connected(self) -> bool:
        """True once the broker answered."""
        return self._online.is_set()

    def write(self, result: FrameResult) -> None:
        """Publish it, or keep it until the broker can be reached.

        Raises:
            OutputError: it can neither be sent nor kept.
        """
        self._tell_assistant(result)
        line = json_line(frame_document(result, trained=self._trained, live=True))
        if self._room() and (self._store is None or (self._qos == 0 and not self.waiting)):
            self._publish(line, None)
            return
        if self._store is None:
            why = self._why or f"{_WINDOW} messages wait for the broker's confirmation"
            raise OutputError(f"{self.name}: {why}, and there is no store")
        # With a quality of service it is on the disk before it is sent, and until it is confirmed.
        self._forget_confirmed()
        self._store.append(line)
        self._forward()

    def close(self) -> None:
        """Send what can be sent within a moment, keep the rest, and say good-bye.

        Raises:
            OutputError: what was left cannot be kept.
        """
        if self._closing:
            return
        self._closing = True
        until = time.monotonic() + _FLUSH_SECONDS
        while self._online.is_set() and (self.waiting or self._unconfirmed) and time.monotonic() < until:
            self._forward()
            time.sleep(0.005)
        if self._online.is_set():
            farewell = self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True)
            while not farewell.is_published() and time.monotonic() < until:
                time.sleep(0.005)
        try:
            self._keep_the_rest()
        finally:
            self._client.disconnect()
            # The client's thread may sleep for a second between two attempts to connect: nobody needs to wait for it.
            ending = threading.Thread(target=self._client.loop_stop, daemon=True)
            ending.start()
            ending.join(_END_SECONDS)

    def _tell_assistant(self, result: FrameResult) -> None:
        """Publish the state of the room: unlike results it does not wait for a broker that is away."""
        if self._assistant is None or not self._online.is_set():
            return
        state = self._assistant.state(result)
        if state is not None:
            self._client.publish(self._assistant.state_topic, state, qos=0)

    def _keep_the_rest(self) -> None:
        if self._store is None:
            with self._confirming:
                self._left_unkept = len(self._unconfirmed)
            return
        self._forget_confirmed()
        self._left = len(self._store)
        self._closed = True
        self._store.close()

    def _room(self) -> int:
        """Count the messages that may be sent now."""
        return max(0, _WINDOW - len(self._unconfirmed)) if self._online.is_set() else 0

    def _forward(self) -> None:
        if self._store is None:
            return
        self._forget_confirmed()
        while room := self._room():
            waiting = self._store.after(self._last, room)
            for number, line in waiting:
                self._publish(line, number)
                self._last = number
            if not waiting:
                return

    def _forget_confirmed(self) -> None:
        with self._confirming:
            confirmed, self._confirmed = self._confirmed, []
            dropped, self._dropped = self._dropped, []
        if self._store is not None:
            self._store.remove(confirmed)
        if dropped:  # they go out once more
            self._last = min(dropped) - 1

    def _publish(self, line: str, number: int | None) -> None:
        with self._confirming:
            # What is in there is of other messages (the status, Home Assistant's), and the client uses its 65,535 numbers again.
            self._confirmed_early.clear()
        mid = self._client.publish(self._topic, line, qos=self._qos).mid
        with self._confirming:  # the confirmation may have come before this line
            if mid in self._confirmed_early:
                self._confirmed_early.discard(mid)
                self._confirmed += [] if number is None else [number]
            else:
                self._unconfirmed[mid] = number

    def _connect(self, address: Address) -> None:
        client = self._client
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_publish = self._on_connect_fail, self._on_publish
        client.reconnect_delay_set(*_RECONNECT)
        client.connect_async(address.host, address.port or _PORTS[address.scheme], keepalive=_KEEPALIVE)
        client.loop_start()

    # What follows is called by the client's own thread.

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._note(f"the broker refused: {reason}")
            return
        self._forget_dropped()
        for topic, document in () if self._assistant is None else self._assistant.configurations():
            client.publish(topic, document, qos=1, retain=True)
        client.publish(f"{self._topic}/status", "online", qos=1, retain=True)
        self._online.set()
        self._why = ""
        _log.info("%s: connected", self.name)

    def _forget_dropped(self) -> None:
        """Messages without a quality of service that were on their way: the client drops them with the link, and nobody confirms them."""
        if self._qos == 0:
            with self._confirming:
                self._dropped += [number for number in self._unconfirmed.values() if number is not None]
                self._unconfirmed.clear()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self._online.is_set() and not self._closing:
            self._note(f"the connection broke ({reason})")
        self._online.clear()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        error = sys.exc_info()[1]  # the client calls this while it handles the error
        self._note(f"cannot connect ({error})")

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        with self._confirming:
            if mid not in self._unconfirmed:
                self._confirmed_early.add(mid)
            elif (number := self._unconfirmed.pop(mid)) is not None:
                self._confirmed.append(number)

    def _note(self, why: str) -> None:
        if why != self._why:
            kept = "results are lost" if self._store is None else "results wait on the disk"
            _log.warning("%s: %s; %s until it works", self.name, why, kept)
        self._why = why


def _topic(address: Address) -> str:
    if any(sign in address.path for sign in "+#\0"):
        raise UsageError(f"{address.text!r}: a topic to publish under has no + and no #")
    return address.path


def _assistant(address: Address, topic: str, description: Description) -> HomeAssistant | None:
    prefix = address.options.get("discovery", "").strip("/")
    if not prefix:
        if "every" in address.options:
            raise UsageError(f"{address.text!r}: every= goes with discovery=homeassistant")
        return None
    if any(sign in prefix for sign in "+#\0"):
        raise UsageError(f"{address.text!r}: discovery is a topic without + and #, such as homeassistant")
    return HomeAssistant(topic, prefix, description, address.number("every", 1, 0.1, 3600))


def _client(address: Address, status: str) -> Any:
    """A client with its last will."""
    try:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError as error:
        raise DependencyError(
            f"MQTT needs the package paho-mqtt, 2 or later; {extra_line('mqtt')}"
        ) from error
    name = address.options.get("client_id") or f"edgeau-{socket.gethostname()}-{secrets.token_hex(4)}"
    client = Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.will_set(status, "offline", qos=1, retain=True)
    _authenticate(client, address)
    if address.scheme == "mqtts":
        _encrypt(client, address)
    return client


def _authenticate(client: Any, address: Address) -> None:
    if address.user is None:
        return
    password = address.password or os.environ.get(_PASSWORD)
    client.username_pw_set(address.user, password)
    if password and address.scheme == "mqtt":
        _log.warning("%s: the password goes over the network readable by all; use mqtts://", address.text)


def _encrypt(client: Any, address: Address) -> None:
    files = {option: address.options.get(option) for option in ("ca", "cert", "key")}
    try:
        client.tls_set(ca_certs=files["ca"], certfile=files["cert"], keyfile=files["key"])
    except (OSError, ValueError) as error:
        given = ", ".join(f"{option}={file}" for option, file in files.items() if file)
        raise UsageError(f"{address.text!r}: the certificates ({given}) cannot be used: {error}") from error


def _store(address: Address) -> OfflineStore | None:
    most = int(address.number("store_mb", 16, 0, 1e6) * 1e6)
    given = address.options.get("store")
    if given == "off" or not most:
        return None
    # One folder a broker and topic: what waits there belongs nowhere else.
    where = f"{address.scheme}://{address.user}@{address.host}:{address.port}/{address.path}"
    name = hashlib.sha256(where.encode()).hexdigest()[:16]
    return OfflineStore(Path(given) if given else cache_directory() / "mqtt" / name, most)
