"""A part of a ``.tflite`` network as a network of its own: between operators that LiteRT does not have."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgeau.errors import InputError
from edgeau.faces.landmarks.mediapipe_models import ModelFile
from edgeau.runtimes import flatbuffer
from edgeau.runtimes.tflite_file import OPERATORS, SUBGRAPHS, TENSORS, check_tflite

__all__ = ["ADVICE", "Part", "cut_part", "part_of"]

ADVICE = "take the file of that name from mediapipe up to 0.10.21 or from Google's face_landmarker.task"
"""What to do about a file that is another network than its name says."""

# Fields by their number in TensorFlow Lite's schema: of SubGraph, of Operator, of Tensor.
_GRAPH_INPUTS, _GRAPH_OUTPUTS = 1, 2
_INPUTS, _OUTPUTS = 1, 2
_NAME = 3


class Part(NamedTuple):
    """A part of a network: content of its ``.tflite``, and the numbers of the tensors that are given and wanted."""

    content: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def cut_part(file: ModelFile, inputs: Iterable[str], outputs: Iterable[str]) -> Part:
    """The part of a network that computes some tensors from others, with nothing that they do not need.

    Args:
        file: the network.
        inputs: names of the tensors that will be given.
        outputs: names of the tensors that are wanted.

    Raises:
        EngineError: it is no ``.tflite``, or was cut short.
        InputError: the network has no such tensors, or is damaged.
    """
    given, wanted = tuple(inputs), tuple(outputs)
    try:
        numbers = _tensors_named(file.content, file.name)
        missing = sorted({*given, *wanted} - set(numbers))
        if missing:
            raise InputError(f"{file.name} is another network: it has no {', '.join(missing)}; {ADVICE}")
        ends = [tuple(numbers[tensor] for tensor in side) for side in (given, wanted)]
        return Part(part_of(file.content, *ends), *ends)
    except (struct.error, IndexError) as error:
        raise InputError(f"{file.name} is damaged ({error}); {ADVICE}") from error


def _tensors_named(model: bytes, name: str) -> dict[str, int]:
    """Number of every tensor of a network by its name; ``name`` is for messages."""
    check_tflite(model, name)
    graph = _graph(model)
    names = {}
    for number, tensor in enumerate(flatbuffer.tables(model, graph, TENSORS)):
        start, size = flatbuffer.vector(model, tensor, _NAME)
        names[model[start : start + size].decode("utf-8", "replace")] = number
    return names


def part_of(model: bytes, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The part of a network that computes some tensors from others, which are given by their numbers.

    Everything stays where it is in the file; the list of operators is shortened, and new lists of inputs and outputs are
    added at its end.

    Args:
        model: content of a whole ``.tflite``.
        inputs: tensors that will be given.
        outputs: tensors that are wanted.

    Raises:
        IndexError: it is damaged; struct.error too.
    """
    content = bytearray(model)
    graph = _graph(content)
    start, count = flatbuffer.vector(content, graph, OPERATORS)
    operators = [flatbuffer.follow(content, start + 4 * entry) for entry in range(count)]
    needed = _needed(content, operators, set(inputs), set(outputs))
    struct.pack_into("<I", content, start - 4, len(needed))
    for entry, operator in enumerate(needed):
        place = start + 4 * entry
        struct.pack_into("<I", content, place, operator - place)
    _set_integers(content, graph, _GRAPH_INPUTS, inputs)
    _set_integers(content, graph, _GRAPH_OUTPUTS, outputs)
    return bytes(content)


def _set_integers(content: bytearray, table: int, number: int, values: Sequence[int]) -> None:
    """Add a vector at the end of the file, and let a field that is set already show there."""
    place = flatbuffer.field(content, table, number)
    if place is None:
        raise IndexError("a graph has inputs and outputs")
    content.extend(bytes(-len(content) % 4))
    struct.pack_into("<I", content, place, len(content) - place)
    content.extend(struct.pack(f"<I{len(values)}i", len(values), *values))


def _needed(
    content: flatbuffer.Content, operators: Sequence[int], given: set[int], wanted: set[int]
) -> list[int]:
    """The operators between, in their order."""
    needed = []
    missing = wanted - given
    for operator in reversed(operators):
        if missing.isdisjoint(_integers(content, operator, _OUTPUTS)):
            continue
        needed.append(operator)
        missing |= set(_integers(content, operator, _INPUTS)) - given
    return needed[::-1]


def _integers(content: flatbuffer.Content, table: int, number: int) -> tuple[int, ...]:
    start, count = flatbuffer.vector(content, table, number)
    return struct.unpack_from(f"<{count}i", content, start)


def _graph(content: flatbuffer.Content) -> int:
    graph = next(flatbuffer.tables(content, flatbuffer.root(content), SUBGRAPHS), None)
    if graph is None:
        raise IndexError("a network has a graph")
    return graph
