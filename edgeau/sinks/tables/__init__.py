"""Results as tables: OpenFace columns in CSV, JSON lines, and events."""

from edgeau.sinks.tables.event_csv import EventCsv
from edgeau.sinks.tables.jsonl import JsonLines
from edgeau.sinks.tables.openface_csv import OpenFaceCsv

__all__ = ["EventCsv", "JsonLines", "OpenFaceCsv"]
