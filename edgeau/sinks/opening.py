"""One call that opens every sink."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Union
from weakref import WeakValueDictionary

from edgeau._system.address_text import without_secrets
from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.named_object import named_object
from edgeau.errors import UsageError
from edgeau.pipeline import Pipeline
from edgeau.results import FrameResult
from edgeau.sinks.address import Address
from edgeau.sinks.csv_file import CsvSink
from edgeau.sinks.description import Description
from edgeau.sinks.jsonl_file import JsonLinesSink, JsonStreamSink
from edgeau.sinks.parquet_file import ParquetSink
from edgeau.sinks.queued import QueuedSink
from edgeau.sinks.sink import CallbackSink, Sink
from edgeau.sinks.text_file import TextFileSink

__all__ = ["open_sink"]

_FILES: dict[str, Callable[[Path, Description], TextFileSink | ParquetSink]] = {
    ".csv": CsvSink,
    ".jsonl": JsonLinesSink,
    ".parquet": ParquetSink,
}
# Files of this process that take results: of two sinks on one, the later would throw the earlier's away at its end.
_open_files: WeakValueDictionary[str, TextFileSink | ParquetSink] = WeakValueDictionary()
# Imported when they are asked for: each brings what others do not need.
_NETWORKS = {
    "http": "edgeau.sinks.http_latest:HttpLatestSink",
    "lsl": "edgeau.sinks.lsl:LslSink",
    "mqtt": "edgeau.sinks.mqtt:MqttSink",
    "mqtts": "edgeau.sinks.mqtt:MqttSink",
    "osc": "edgeau.sinks.osc:OscSink",
    "udp": "edgeau.sinks.udp:UdpSink",
    "vmc": "edgeau.sinks.vmc:VmcSink",
    "ws": "edgeau.sinks.websocket:WebSocketSink",
}
_WHAT = (
    "a file (.csv, .jsonl, .parquet), - for JSON lines on standard output, ws://127.0.0.1:PORT, "
    "http://127.0.0.1:PORT, mqtt://HOST/TOPIC, mqtts://HOST/TOPIC, lsl://?name=NAME, vmc://HOST:PORT, osc://HOST:PORT, "
    "udp://HOST:PORT, or a function"
)

Where = Union[str, "os.PathLike[str]", "Callable[[FrameResult], Any]", Sink]


def open_sink(
    where: Where, of: Pipeline | Description, *, capacity: int = 256, lossless: bool = False
) -> QueuedSink:
    """Open a place for results to go to.

    Args:
        where: a file, whose suffix says what it is (``.csv`` with OpenFace's columns, ``.jsonl``, ``.parquet``); ``-``, JSON
            lines on standard output; ``ws://HOST:PORT/PATH``, a server of all results; ``http://HOST:PORT/PATH``, one of the
            newest; ``mqtt://HOST/TOPIC`` or ``mqtts://``; ``lsl://``; ``vmc://HOST:PORT``;
            ``osc://HOST:PORT``; ``udp://HOST:PORT``; a function that takes each result; or a :class:`Sink` of your own.
        of: the pipeline whose results these are, or a description of it.
        capacity: results that may wait for the sink; beyond it the oldest are dropped and counted.
        lossless: wait for a slow sink instead, for work that is not live.

    Returns:
        The sink behind a queue and a thread of its own, to be used in ``with``: writing to it never waits and never
        raises. What became of the results is in its ``report``.

    Raises:
        UsageError: this is no such place.
        OutputError: the folder cannot be written to, or the port is taken.
        DependencyError: a package is missing.
    """
    description = of if isinstance(of, Description) else Description.of(of)
    return QueuedSink(_sink(where, description), capacity=capacity, lossless=lossless)


def _sink(where: Where, description: Description) -> Sink:
    if isinstance(where, Sink):
        return where
    if isinstance(where, str | os.PathLike):
        text = os.fspath(where)
        return _network(text, description) if "://" in text else _file(text, description)
    if callable(where):
        return CallbackSink(where)
    raise UsageError(f"results cannot go to a {type(where).__name__}; they can go to {_WHAT}")


def _file(text: str, description: Description) -> Sink:
    if text == "-":
        return JsonStreamSink(sys.stdout, description)
    path = Path(text)
    if path.suffix.lower() not in _FILES:
        raise UsageError(f"results cannot go to {without_secrets(text)!r}; they can go to {_WHAT}")
    place = os.path.realpath(path)
    other = _open_files.get(place)
    if other is not None and other.is_open:
        raise UsageError(f"results go to {text!r} already; give each sink a file of its own")
    sink = _FILES[path.suffix.lower()](path, description)
    _open_files[place] = sink
    return sink


def _network(text: str, description: Description) -> Sink:
    address = Address.parse(text)
    if address.scheme not in _NETWORKS:
        raise UsageError(
            f"results cannot go to {address.text!r}; {did_you_mean(address.scheme, _NETWORKS)}they can go to {_WHAT}"
        )
    sink: Sink = named_object(_NETWORKS[address.scheme])(address, description)
    return sink
