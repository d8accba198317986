"""Results as tables: OpenFace columns in CSV, JSON lines, and events."""

from edgeau.tables.event_csv import EventCsv
from edgeau.tables.jsonl import JsonLines
from edgeau.tables.openface_csv import OpenFaceCsv

__all__ = ["EventCsv", "JsonLines", "OpenFaceCsv"]
