"""Whether a ``.tflite`` file is whole.

ai-edge-litert verifies what it opens; tflite-runtime does not, and dies of a cut file together with the program around it.
So the outline of the file is walked here first: every table and every weight buffer must lie inside the file.

Layout: FlatBuffers (https://flatbuffers.dev/internals) with the schema of TensorFlow Lite (``schema.fbs``, file
identifier ``TFL3``): ``Model`` has ``operator_codes``, ``subgraphs`` and ``buffers`` as fields 1, 2 and 4; ``SubGraph`` has
``tensors`` and ``operators`` as fields 0 and 3; ``Buffer`` has ``data`` as field 0.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from edgeau.errors import EngineError

__all__ = ["check_tflite"]

_IDENTIFIER = b"TFL3"
_OPERATOR_CODES, _SUBGRAPHS, _BUFFERS = 1, 2, 4
_TENSORS, _OPERATORS = 0, 3
_DATA = 0

_Content = bytes | mmap.mmap


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


def _check(content: _Content, name: str) -> None:
    if content[4:8] != _IDENTIFIER:
        raise EngineError(f"{name} is not a .tflite file (it starts with {bytes(content[:8])!r})")
    try:
        _walk(content)
    except (struct.error, IndexError) as error:
        raise EngineError(f"{name} is damaged: it ends too early; copy or export it again") from error


def _walk(content: _Content) -> None:
    root = _follow(content, 0)
    for _ in _tables(content, root, _OPERATOR_CODES):
        pass
    for subgraph in _tables(content, root, _SUBGRAPHS):
        for part in (_TENSORS, _OPERATORS):
            for _ in _tables(content, subgraph, part):
                pass
    for buffer in _tables(content, root, _BUFFERS):
        _check_bytes(content, buffer)


def _tables(content: _Content, table: int, number: int) -> Iterator[int]:
    """Places of the tables in a vector of tables; each one's own field list is inside the file."""
    place = _field(content, table, number)
    if place is None:
        return
    vector = _follow(content, place)
    (count,) = struct.unpack_from("<I", content, vector)
    for entry in range(count):
        inner = _follow(content, vector + 4 + 4 * entry)
        _field_list(content, inner)
        yield inner


def _check_bytes(content: _Content, buffer: int) -> None:
    place = _field(content, buffer, _DATA)
    if place is None:
        return
    vector = _follow(content, place)
    (size,) = struct.unpack_from("<I", content, vector)
    if vector + 4 + size > len(content):
        raise IndexError


def _field(content: _Content, table: int, number: int) -> int | None:
    """Where a table keeps a field; None where it has none."""
    start, size = _field_list(content, table)
    slot = 4 + 2 * number
    if slot >= size:
        return None
    (offset,) = struct.unpack_from("<H", content, start + slot)
    return table + offset if offset else None


def _field_list(content: _Content, table: int) -> tuple[int, int]:
    """Place and size in bytes of the list that says where a table keeps its fields."""
    (back,) = struct.unpack_from("<i", content, table)
    start = table - back
    if start < 0:
        raise IndexError
    size, table_size = struct.unpack_from("<HH", content, start)
    if start + size > len(content) or table + table_size > len(content):
        raise IndexError
    return start, size


def _follow(content: _Content, place: int) -> int:
    (offset,) = struct.unpack_from("<I", content, place)
    return place + int(offset)
