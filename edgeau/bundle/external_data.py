"""Files that an ONNX model reads its weights from: the engine opens whatever lies beside the model under the names that it holds.

A device has no parser of ONNX, so the few messages that lead to such a name (``onnx.proto``: graph, node, attribute, tensor) are walked
here as Protocol Buffers has them; a model without the word ``location`` names none, which is found in a few milliseconds.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

__all__ = ["external_files"]

_KEY = b"location"
_PIECE = 1 << 18
_LONGEST = 4096  # bytes of a name that are kept
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE, _FUNCTION, _TRAINING, _ENTRY = range(9)
# By message: the numbers of the fields that lead on, and to what.
_FIELDS: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _TENSOR: {13: _ENTRY},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
}


def external_files(model: Path) -> list[str]:
    """The files that an ONNX file names, as it names them.

    Args:
        model: the ``.onnx`` file.

    Returns:
        Each name once; ``""`` stands for one that is missing, and for a model that may hold names and cannot be walked.
    """
    if not _has_word(model):
        return []
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        try:
            return list(dict.fromkeys(_named(content)))
        except (IndexError, ValueError):
            return [""]


def _has_word(model: Path) -> bool:
    """Tell whether a file has the key in it.

    It is read in pieces, since a mapped file counts as memory of the process, and into the same memory again and again, since new memory for
    every piece takes as long as the search.
    """
    kept = len(_KEY) - 1  # bytes of a piece that may begin a key
    memory = bytearray(kept + _PIECE)
    with model.open("rb", buffering=0) as file:
        while size := file.readinto(memoryview(memory)[kept:]):
            if memory.find(_KEY, 0, kept + size) >= 0:
                return True
            memory[:kept] = memory[size : size + kept]
    return False


def _named(content: mmap.mmap) -> Iterator[str]:
    waiting = [(_MODEL, 0, len(content))]
    while waiting:
        message, start, end = waiting.pop()
        if message == _ENTRY:
            yield from _location(content, start, end)
            continue
        inner = _FIELDS[message]
        waiting.extend(
            (inner[number], begin, stop)
            for number, begin, stop in _fields(content, start, end)
            if number in inner
        )


def _location(content: mmap.mmap, start: int, end: int) -> Iterator[str]:
    """The names of an entry with the key. Which of several values holds is the reader's affair, so each counts."""
    fields = list(_fields(content, start, end))
    if not any(number == 1 and content[begin:stop] == _KEY for number, begin, stop in fields):
        return
    values = [(begin, stop) for number, begin, stop in fields if number == 2]
    for begin, stop in values or [(0, 0)]:
        yield content[begin : min(stop, begin + _LONGEST)].decode("utf-8", "replace")


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, first byte and byte after the last of each field of bytes; ValueError where this is not a message."""
    place = start
    while place < end:
        tag, place = _varint(content, place)
        kind, number = tag & 7, (tag & 0xFFFFFFFF) >> 3  # libraries keep 32 bits
        if kind == _BYTES:
            size, place = _varint(content, place)
            if place + size <= end:
                yield number, place, place + size
            place += size
        elif kind == _VARINT:
            _, place = _varint(content, place)
        elif kind in (_EIGHT, _FOUR):
            place += 8 if kind == _EIGHT else 4
        else:
            raise ValueError
    if place != end:
        raise ValueError


def _varint(content: mmap.mmap, place: int) -> tuple[int, int]:
    """A number and the byte after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError
