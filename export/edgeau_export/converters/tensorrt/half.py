"""Half precision where it belongs, with casts at its borders; input and output of the graph stay float32.

What touches a Q/DQ pair stays float32: a pair's scale is float32 for TensorRT 8, and the type of what comes out of a pair is
that of its scale. It costs nothing: between integer in and integer out a fused kernel keeps its values in registers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeau_calibration.graph.view import GraphView, drop_unread

__all__ = ["with_half_precision"]

_PAIR = ("QuantizeLinear", "DequantizeLinear")
# Operators whose every float tensor may be half; others stay float32, with casts around them.
_HALF = frozenset(
    [
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Concat",
        "Conv",
        "ConvTranspose",
        "Div",
        "Dropout",
        "Elu",
        "Flatten",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "LRN",
        "MatMul",
        "MaxPool",
        "Mul",
        "Neg",
        "PRelu",
        "Pad",
        "ReduceMean",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Split",
        "Squeeze",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    ]
)
# What a kernel does to its result before it is stored.
_EPILOGUE = ("Add", "Clip", "HardSigmoid", "HardSwish", "LeakyRelu", "Mul", "Relu", "Sigmoid")
_LARGEST = float(np.finfo(np.float16).max)


def with_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """The copy of a float32 graph, with or without Q/DQ pairs, that computes in half precision where no pair is at hand."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    floats = _float_tensors(copy)
    del copy.graph.value_info[:]  # their types are about to change
    graph = GraphView(copy.graph)
    # Sizes and places are computed with the same operators, and stay whole numbers.
    half = {id(node) for node in copy.graph.node if node.op_type in _HALF and floats >= set(node.output)}
    half -= _kept_in_float(graph)
    borders = _Borders(graph, half, floats)
    nodes: list[onnx.NodeProto] = []
    for node in copy.graph.node:
        nodes.extend(borders.before(node))
        nodes.append(node)
    nodes.extend(borders.at_outputs())
    ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del copy.graph.node[:]
    copy.graph.node.extend(ordered)
    drop_unread(copy)
    return copy


def _float_tensors(model: onnx.ModelProto) -> set[str]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    return {item.name for item in values if item.type.tensor_type.elem_type == TensorProto.FLOAT}


def _kept_in_float(graph: GraphView) -> set[int]:
    """Nodes behind a pair, and what stands between them and the next pair."""
    kept = {
        id(node)
        for node in graph.nodes
        if any(graph.made_by(name) == "DequantizeLinear" for name in node.input)
    }
    outputs = {item.name for item in graph.graph.output}
    for node in reversed(graph.nodes):
        readers = [reader for output in node.output for reader, _ in graph.readers.get(output, [])]
        stays = all(reader.op_type == "QuantizeLinear" or id(reader) in kept for reader in readers)
        if node.op_type in _EPILOGUE and readers and stays and outputs.isdisjoint(node.output):
            kept.add(id(node))
    return kept


class _Borders:
    """Casts where a tensor of one type is read as the other, one for all readers; constants are converted instead."""

    def __init__(self, graph: GraphView, half: set[int], floats: set[str]) -> None:
        self._graph = graph
        self._half = half
        self._floats = floats
        self._made: dict[tuple[str, bool], str] = {}

    def before(self, node: onnx.NodeProto) -> Iterable[onnx.NodeProto]:
        """Give a node its inputs in its own type; returns the casts that are new."""
        wants_half = id(node) in self._half
        if node.op_type == "DequantizeLinear":
            return []
        casts = []
        for index, name in enumerate(node.input):
            if not name or self._is_half(name) in (None, wants_half):
                continue
            known = (name, wants_half) in self._made
            node.input[index] = self._made.setdefault((name, wants_half), self._name(name, wants_half))
            if known:
                continue
            if name in self._graph.constants:
                self._convert(name)
            else:
                casts.append(self._cast(name, wants_half))
        return casts

    def at_outputs(self) -> Iterable[onnx.NodeProto]:
        """Casts that make the graph's half outputs float32 again, under their own names."""
        casts = []
        for item in self._graph.graph.output:
            if self._is_half(item.name):
                inner = f"{item.name}_half"
                self._rename(item.name, inner)
                casts.append(
                    helper.make_node(
                        "Cast", [inner], [item.name], name=f"{item.name}_Cast", to=TensorProto.FLOAT
                    )
                )
        return casts

    def _is_half(self, name: str) -> bool | None:
        """None for what is not a float: integers of pairs, shapes."""
        constant = self._graph.constants.get(name)
        if constant is not None:
            return False if constant.data_type == TensorProto.FLOAT else None
        producer = self._graph.producer.get(name)
        if producer is None:
            return False  # an input of the graph
        if producer.op_type == "QuantizeLinear" or name not in self._floats:
            return None
        return id(producer) in self._half

    @staticmethod
    def _name(name: str, half: bool) -> str:
        return f"{name}_{'half' if half else 'float'}"

    def _cast(self, name: str, half: bool) -> onnx.NodeProto:
        output = self._name(name, half)
        kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        return helper.make_node("Cast", [name], [output], name=f"{output}_Cast", to=kind)

    def _convert(self, name: str) -> None:
        value = np.clip(self._graph.value(name), -_LARGEST, _LARGEST).astype(np.float16)
        constant = numpy_helper.from_array(value, self._name(name, half=True))
        self._graph.graph.initializer.append(constant)

    def _rename(self, name: str, inner: str) -> None:
        producer = self._graph.producer[name]
        producer.output[list(producer.output).index(name)] = inner
        for node, index in self._graph.readers.get(name, []):
            if node.input[index] == name:
                node.input[index] = inner
