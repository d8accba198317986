"""Reading FlatBuffers (https://flatbuffers.dev/internals) without their library: places of tables, fields and vectors.

A place is an offset from the start of the file. Everything raises ``struct.error`` or ``IndexError`` when it would leave it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator

__all__ = ["Content", "field", "field_list", "follow", "root", "tables", "vector"]

Content = bytes | bytearray | mmap.mmap


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
    (offset,) = struct.unpack_from("<H", content, start + slot)
    return table + offset if offset else None


def field_list(content: Content, table: int) -> tuple[int, int]:
    """Place and size in bytes of the list that says where a table keeps its fields; list and table are in the file."""
    (back,) = struct.unpack_from("<i", content, table)
    start = table - back
    if start < 0:
        raise IndexError
    size, table_size = struct.unpack_from("<HH", content, start)
    if start + size > len(content) or table + table_size > len(content):
        raise IndexError
    return start, size


def vector(content: Content, table: int, number: int) -> tuple[int, int]:
    """Place of the first entry of a vector in a field, and how many there are; 0, 0 where the field is not set."""
    place = field(content, table, number)
    if place is None:
        return 0, 0
    start = follow(content, place)
    (count,) = struct.unpack_from("<I", content, start)
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
    (offset,) = struct.unpack_from("<I", content, place)
    return place + int(offset)
