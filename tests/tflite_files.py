"""Files of other converters, made from edgeau's own by editing their tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.writer import _AlignedBuilder


def parsed(content: bytes) -> Any:
    """The tables of a file."""
    return tables.ModelT.InitFromPackedBuf(content, 0)


def packed(root: Any) -> bytes:
    """A file of tables."""
    builder = _AlignedBuilder(1 << 20)
    builder.Finish(root.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def with_integer_ends(content: bytes, kind: np.dtype) -> bytes:
    """The same file with a QUANTIZE less at the front and at the back: the caller has to do it."""
    root = parsed(content)
    graph = root.subgraphs[0]
    types = {np.int8: "INT8", np.uint8: "UINT8", np.int16: "INT16"}
    code = getattr(tables.TensorType, types[kind.type])
    steps = 255 if kind.itemsize == 1 else 65534
    middle = 128 if kind == np.uint8 else 0
    ends = {}
    for number, (index, span) in enumerate(((graph.inputs[0], 12.0), (graph.outputs[0], 24.0))):
        outer = tables.TensorT()
        outer.name, outer.shape, outer.type = f"end{number}", graph.tensors[index].shape, code
        outer.hasRank = True
        outer.quantization = tables.QuantizationParametersT()
        outer.quantization.scale, outer.quantization.zeroPoint = [span / steps], [middle]
        graph.tensors.append(outer)
        ends[number] = len(graph.tensors) - 1
    codes = []
    for builtin in (tables.BuiltinOperator.DEQUANTIZE, tables.BuiltinOperator.QUANTIZE):
        entry = tables.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = builtin
        entry.version = 3 if kind == np.int16 and builtin == tables.BuiltinOperator.DEQUANTIZE else 2
        root.operatorCodes.append(entry)
        codes.append(len(root.operatorCodes) - 1)
    first, last = tables.OperatorT(), tables.OperatorT()
    first.opcodeIndex, first.inputs, first.outputs = codes[0], [ends[0]], [graph.inputs[0]]
    last.opcodeIndex, last.inputs, last.outputs = codes[1], [graph.outputs[0]], [ends[1]]
    graph.operators = [first, *graph.operators, last]
    graph.inputs, graph.outputs = [ends[0]], [ends[1]]
    root.signatureDefs = []
    return packed(root)


def with_custom_operator(content: bytes, name: str) -> bytes:
    """The first operator under a name that no LiteRT knows."""
    root = parsed(content)
    code = root.operatorCodes[root.subgraphs[0].operators[0].opcodeIndex]
    code.builtinCode = tables.BuiltinOperator.CUSTOM
    code.deprecatedBuiltinCode, code.customCode = tables.BuiltinOperator.CUSTOM, name
    return packed(root)


def with_another(content: bytes, what: str) -> bytes:
    """One input or output more."""
    root = parsed(content)
    graph = root.subgraphs[0]
    more = tables.TensorT()
    more.name, more.shape, more.type, more.hasRank = (
        f"another {what}",
        [1, 4],
        tables.TensorType.FLOAT32,
        True,
    )
    graph.tensors.append(more)
    ends = graph.inputs if what == "input" else graph.outputs
    both = [*ends, len(graph.tensors) - 1]
    graph.inputs, graph.outputs = (both, graph.outputs) if what == "input" else (graph.inputs, both)
    root.signatureDefs = []
    return packed(root)


def with_open_size(content: bytes) -> bytes:
    """The picture's height and width left open."""
    root = parsed(content)
    graph = root.subgraphs[0]
    entry = graph.tensors[graph.inputs[0]]
    entry.shapeSignature = [entry.shape[0], -1, -1, entry.shape[3]]
    return packed(root)


def with_missing_input(content: bytes, kind: str) -> bytes:
    """The first operator of a kind without its second input: well formed, and LiteRT 2.3 dies of it (SIGSEGV).

    Six of 800 random edits of the tables of a tiny network killed it; each had taken away the shape of a RESHAPE.
    """
    root = parsed(content)
    # Older files have the number in the field of one byte alone.
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in root.operatorCodes]
    wanted = getattr(tables.BuiltinOperator, kind)
    operator = next(one for one in root.subgraphs[0].operators if codes[one.opcodeIndex] == wanted)
    operator.inputs = [int(operator.inputs[0]), -1, *map(int, operator.inputs[2:])]
    return packed(root)
