"""Results as tables: OpenFace columns in CSV, and JSON lines."""

from edgeau.tables.jsonl import JsonLines
from edgeau.tables.openface_csv import OpenFaceCsv

__all__ = ["JsonLines", "OpenFaceCsv"]
