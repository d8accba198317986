"""A part of a ``.tflite`` network: what lies between some of its tensors."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from edgeau.runtimes import tflite_file
from edgeau.runtimes.tflite_file import OPERATOR_CODES, OPERATORS, SUBGRAPHS, TENSORS

__all__ = ["main_graph", "part_of", "without_quantizer"]

# Fields by their number in TensorFlow Lite's schema: of SubGraph, of Operator, of OperatorCode, of Tensor.
_GRAPH_INPUTS, _GRAPH_OUTPUTS = 1, 2
_OPCODE, _INPUTS, _OUTPUTS = 0, 1, 2
_SHORT_CODE, _CODE = 0, 3
_TYPE = 1

_QUANTIZE = 114
_INT8, _UINT8 = 9, 3

# An input that is left out. Operators of these networks may do without a third one, their bias; of a file without another one LiteRT 2.3
# says so or dies, as it happens.
_ABSENT = -1


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
    graph = main_graph(content)
    start, count = tflite_file.vector(content, graph, OPERATORS)
    operators = [tflite_file.follow(content, start + 4 * entry) for entry in range(count)]
    needed = _needed(content, operators, set(inputs), set(outputs))
    struct.pack_into("<I", content, start - 4, len(needed))
    for entry, operator in enumerate(needed):
        place = start + 4 * entry
        struct.pack_into("<I", content, place, operator - place)
    _set_integers(content, graph, _GRAPH_INPUTS, inputs)
    _set_integers(content, graph, _GRAPH_OUTPUTS, outputs)
    return bytes(content)


def without_quantizer(model: bytes) -> bytes | None:
    """The network that takes the integers which a file's first operator makes of its input; None where there is no such operator.

    Args:
        model: content of a whole ``.tflite``.

    Raises:
        IndexError: it is damaged; struct.error too.
    """
    graph = main_graph(model)
    inputs, outputs = (_integers(model, graph, number) for number in (_GRAPH_INPUTS, _GRAPH_OUTPUTS))
    operators = list(tflite_file.tables(model, graph, OPERATORS))
    readers = [place for place in operators if set(inputs) & set(_integers(model, place, _INPUTS))]
    if len(inputs) != 1 or len(readers) != 1 or _builtin_code(model, readers[0]) != _QUANTIZE:
        return None
    integers = _integers(model, readers[0], _OUTPUTS)
    tensor = list(tflite_file.tables(model, graph, TENSORS))[integers[0]]
    if _byte(model, tensor, _TYPE) not in (_INT8, _UINT8):
        return None
    return part_of(model, integers, outputs)


def _builtin_code(content: tflite_file.Content, operator: int) -> int:
    """The code of an operator, in whichever of two fields the file has it."""
    place = tflite_file.field(content, operator, _OPCODE)
    (index,) = (0,) if place is None else struct.unpack_from("<I", content, place)
    entry = list(tflite_file.tables(content, tflite_file.root(content), OPERATOR_CODES))[index]
    place = tflite_file.field(content, entry, _CODE)
    (code,) = (0,) if place is None else struct.unpack_from("<i", content, place)
    return max(int(code), _byte(content, entry, _SHORT_CODE))


def _byte(content: tflite_file.Content, table: int, number: int) -> int:
    place = tflite_file.field(content, table, number)
    return 0 if place is None else int(content[place])


def _set_integers(content: bytearray, table: int, number: int, values: Sequence[int]) -> None:
    """Add a vector at the end of the file, and let a field that is set already show there."""
    place = tflite_file.field(content, table, number)
    if place is None:
        raise IndexError("a graph has inputs and outputs")
    content.extend(bytes(-len(content) % 4))
    struct.pack_into("<I", content, place, len(content) - place)
    content.extend(struct.pack(f"<I{len(values)}i", len(values), *values))


def _needed(
    content: tflite_file.Content, operators: Sequence[int], given: set[int], wanted: set[int]
) -> list[int]:
    """The operators between, in their order."""
    needed = []
    missing = wanted - given
    for operator in reversed(operators):
        if missing.isdisjoint(_integers(content, operator, _OUTPUTS)):
            continue
        needed.append(operator)
        reads = _integers(content, operator, _INPUTS)
        if _ABSENT in reads[:2]:
            raise IndexError("an operator lacks an input")
        missing |= set(reads) - given
    return needed[::-1]


def _integers(content: tflite_file.Content, table: int, number: int) -> tuple[int, ...]:
    start, count = tflite_file.vector(content, table, number)
    return struct.unpack_from(f"<{count}i", content, start)


def main_graph(content: tflite_file.Content) -> int:
    """Place of a file's graph.

    Raises:
        IndexError: it has none.
    """
    graph = next(tflite_file.tables(content, tflite_file.root(content), SUBGRAPHS), None)
    if graph is None:
        raise IndexError("a network has a graph")
    return graph
