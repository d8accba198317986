"""A check that a ``.tflite`` file is whole.

ai-edge-litert verifies what it opens; tflite-runtime does not, and dies of a cut file together with the program around it.
So the outline of the file is walked here first: every table and every weight buffer must lie inside the file.

Layout: FlatBuffers with the schema of TensorFlow Lite (``schema.fbs``, file identifier ``TFL3``).
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from edgeau.errors import EngineError
from edgeau.runtimes import flatbuffer

__all__ = ["BUFFERS", "OPERATORS", "OPERATOR_CODES", "SUBGRAPHS", "TENSORS", "check_tflite"]

# Fields by their number in the schema: of Model, of SubGraph, of Buffer.
OPERATOR_CODES, SUBGRAPHS, BUFFERS = 1, 2, 4
TENSORS, OPERATORS = 0, 3
_DATA = 0

_IDENTIFIER = b"TFL3"


def check_tflite(model: Path | bytes, name: str) -> None:
    """Check that a file is a ``.tflite`` and was not cut.

    Args:
        model: the file, or its content.
        name: for messages.

    Raises:
        EngineError: it is missing, is something else, or ends too early.
    """
    if isinstance(model, bytes):
        _check(model, name)
        return
    try:
        with model.open("rb") as file:
            if model.stat().st_size == 0:
                raise EngineError(f"{name} is empty; copy or export it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check(content, name)
    except OSError as error:
        raise EngineError(f"{model} cannot be read: {error.strerror or error}") from error


def _check(content: flatbuffer.Content, name: str) -> None:
    if content[4:8] != _IDENTIFIER:
        raise EngineError(f"{name} is not a .tflite file (it starts with {bytes(content[:8])!r})")
    try:
        _walk(content)
    except (struct.error, IndexError) as error:
        raise EngineError(f"{name} is damaged: it ends too early; copy or export it again") from error


def _walk(content: flatbuffer.Content) -> None:
    model = flatbuffer.root(content)
    for _ in flatbuffer.tables(content, model, OPERATOR_CODES):
        pass
    for subgraph in flatbuffer.tables(content, model, SUBGRAPHS):
        for part in (TENSORS, OPERATORS):
            for _ in flatbuffer.tables(content, subgraph, part):
                pass
    for buffer in flatbuffer.tables(content, model, BUFFERS):
        start, size = flatbuffer.vector(content, buffer, _DATA)
        if start + size > len(content):
            raise IndexError
