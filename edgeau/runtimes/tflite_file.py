"""Reading a ``.tflite`` file without a library, and the check that it is whole.

ai-edge-litert verifies what it opens; tflite-runtime does not, and dies of a cut file together with the program around it.
So the outline of the file is walked here first: every table and every weight buffer must lie inside the file.

Layout: FlatBuffers (https://flatbuffers.dev/internals) with the schema of TensorFlow Lite (``schema.fbs``, file identifier ``TFL3``).
A place is an offset from the start of the file. What reads from one raises ``struct.error`` or ``IndexError`` when it would leave the
file.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from edgeau.errors import EngineError

__all__ = [
    "BUFFERS",
    "OPERATORS",
    "OPERATOR_CODES",
    "SUBGRAPHS",
    "TENSORS",
    "Content",
    "check_tflite",
    "field",
    "field_list",
    "follow",
    "root",
    "tables",
    "vector",
]

Content = bytes | bytearray | mmap.mmap

# Fields by their number in the schema: of Model, of SubGraph, of Buffer.
OPERATOR_CODES, SUBGRAPHS, BUFFERS = 1, 2, 4
TENSORS, OPERATORS = 0, 3
_DATA = 0

_IDENTIFIER = b"TFL3"

# Compiled once: a file is read in some ten thousand steps before its network runs.
_offset = struct.Struct("<I").unpack_from
_signed = struct.Struct("<i").unpack_from
_short = struct.Struct("<H").unpack_from
_sizes = struct.Struct("<HH").unpack_from


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


def _check(content: Content, name: str) -> None:
    if content[4:8] != _IDENTIFIER:
        raise EngineError(f"{name} is not a .tflite file (it starts with {bytes(content[:8])!r})")
    try:
        _walk(content)
    except (struct.error, IndexError) as error:
        raise EngineError(f"{name} is damaged: it ends too early; copy or export it again") from error


def _walk(content: Content) -> None:
    model = root(content)
    for _ in tables(content, model, OPERATOR_CODES):
        pass
    for subgraph in tables(content, model, SUBGRAPHS):
        for part in (TENSORS, OPERATORS):
            for _ in tables(content, subgraph, part):
                pass
    for buffer in tables(content, model, BUFFERS):
        start, size = vector(content, buffer, _DATA)
        if start + size > len(content):
            raise IndexError


def root(content: Content) -> int:
    """The root table."""
    return follow(content, 0)


def field(content: Content, table: int, number: int) -> int | None:
    """Offset at which a table keeps a field; None where it has none.

    Args:
        content: content of the file.
        table: its place.
        number: number of the field, in the order of the schema, from 0.
    """
    start, size = field_list(content, table)
    slot = 4 + 2 * number
    if slot >= size:
        return None
    (offset,) = _short(content, start + slot)
    return table + offset if offset else None


def field_list(content: Content, table: int) -> tuple[int, int]:
    """Place and size in bytes of the list that says where a table keeps its fields; list and table are in the file."""
    (back,) = _signed(content, table)
    start = table - back
    if start < 0:
        raise IndexError
    size, table_size = _sizes(content, start)
    if start + size > len(content) or table + table_size > len(content):
        raise IndexError
    return start, size


def vector(content: Content, table: int, number: int) -> tuple[int, int]:
    """Place of the first entry of a vector in a field, and how many there are; 0, 0 where the field is not set."""
    place = field(content, table, number)
    if place is None:
        return 0, 0
    start = follow(content, place)
    (count,) = _offset(content, start)
    return start + 4, count


def tables(content: Content, table: int, number: int) -> Iterator[int]:
    """Places of the tables in a vector of tables."""
    start, count = vector(content, table, number)
    for entry in range(count):
        inner = follow(content, start + 4 * entry)
        field_list(content, inner)
        yield inner


def follow(content: Content, place: int) -> int:
    """Offset that a reference points to."""
    (offset,) = _offset(content, place)
    return place + int(offset)
