"""What a ``.tflite`` says of itself, for whoever finds it without its bundle.

The file's metadata entry ``edgeau`` holds one JSON object of strings: what the ONNX files of a bundle carry as
``metadata_props`` (``network``, ``trained``, ``labels``, ``input``, ``alignment``, the last three as JSON in turn), the
``precision``, and ``edgeau``, the version that wrote it. ``input`` describes the network; in this file the picture is NHWC.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import edgeau
from edgeau_export.onnx_to_tflite.schema import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ENTRY", "entries", "one_line", "read_metadata"]

ENTRY = "edgeau"


def entries(metadata: Mapping[str, str], precision: str) -> dict[str, bytes]:
    """The file's metadata entries."""
    said = {"edgeau": edgeau.__version__, "precision": precision, **metadata}
    return {ENTRY: json.dumps(said, ensure_ascii=False).encode()}


def one_line(metadata: Mapping[str, str], precision: str) -> str:
    """The file's own description, which viewers show."""
    return f"{metadata.get('network', 'network')}, {precision}, by edgeau {edgeau.__version__}"


def read_metadata(content: bytes) -> dict[str, str]:
    """What :func:`entries` put into a file; empty where there is none."""
    root = tables.ModelT.InitFromPackedBuf(content, 0)
    for entry in root.metadata or []:
        if entry.name == ENTRY.encode():
            said: dict[str, str] = json.loads(bytes(root.buffers[entry.buffer].data))
            return said
    return {}
