"""Sinks for results: files, callbacks and networks, each of which may be slow or gone without stopping the pipeline."""

from edgeau.sinks.description import Description
from edgeau.sinks.opening import open_sink
from edgeau.sinks.queued import QueuedSink, SinkReport
from edgeau.sinks.sink import Sink

__all__ = ["Description", "QueuedSink", "Sink", "SinkReport", "open_sink"]
