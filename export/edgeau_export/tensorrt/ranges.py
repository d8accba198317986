"""Taking a Q/DQ graph apart again: the float graph, what was quantized in it, and the scales.

Where pairs stand is decided anew for TensorRT (:mod:`edgeau_export.tensorrt.placement`); which convolutions may be integer,
and in which ranges, is the quantization recipe's and its budget's decision, and is kept. A range with a zero point becomes the
symmetric one that holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgeau_export.tensorrt.graph import WEIGHTED, Graph, drop_unread, output_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["LEVELS", "Quantization", "taken_apart"]

LEVELS = 127
_PAIR = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Quantization:
    """What a recipe decided.

    Attributes:
        weights: scale per output channel ``(K,)`` by the first output of the convolution that has them.
        activations: symmetric scale by tensor.
    """

    weights: Mapping[str, NDArray[np.float32]]
    activations: Mapping[str, float]


def taken_apart(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Quantization]:
    """The float graph behind a Q/DQ graph, and its quantization.

    Constants that are stored as integers become floats, each at the middle of its step.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = Graph(copy)
    origin = {
        node.output[0]: _origin(graph, node) for node in copy.graph.node if node.op_type == "DequantizeLinear"
    }
    activations = {
        node.input[0]: _symmetric_scale(graph, node)
        for node in copy.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in graph.constants
    }
    _restore_outputs(copy, graph, origin)
    weights: dict[str, NDArray[np.float32]] = {}
    for node in copy.graph.node:
        if node.op_type in _PAIR:
            continue
        if node.op_type in WEIGHTED and node.input[0] in origin and node.input[1] in origin:
            weights[node.output[0]] = _weight_scales(graph, node)
        for index, name in enumerate(node.input):
            node.input[index] = origin.get(name, name)
    _drop_pairs(copy, graph)
    return copy, Quantization(weights, activations)


def _origin(graph: Graph, dequantize: onnx.NodeProto) -> str:
    """The float tensor that a DequantizeLinear stands for."""
    source: str = dequantize.input[0]
    if graph.made_by(source) == "QuantizeLinear":
        quantize: str = graph.producer[source].input[0]
        return quantize
    return source  # an integer constant


def _symmetric_scale(graph: Graph, quantize: onnx.NodeProto) -> float:
    """Of an activation: that of the smallest range around zero which holds the recipe's."""
    scale = float(graph.value(quantize.input[1]).reshape(-1)[0])
    zero = graph.value(quantize.input[2]) if len(quantize.input) > 2 else np.zeros(1, np.uint8)
    if not np.any(zero) and zero.dtype == np.int8:
        return scale
    limits = np.iinfo(zero.dtype)
    middle = int(zero.reshape(-1)[0])
    return max(middle - limits.min, limits.max - middle) * scale / LEVELS


def _weight_scales(graph: Graph, node: onnx.NodeProto) -> NDArray[np.float32]:
    dequantize = graph.producer[node.input[1]]
    scale = graph.value(dequantize.input[1]).astype(np.float32).reshape(-1)
    channels = graph.shape_of_constant(_origin(graph, dequantize))[output_axis(node)]
    return np.full(channels, scale[0], np.float32) if scale.size == 1 else scale


def _restore_outputs(model: onnx.ModelProto, graph: Graph, origin: Mapping[str, str]) -> None:
    """An output of the graph that leaves a pair leaves the operator before it, under the same name."""
    for item in model.graph.output:
        inner = origin.get(item.name)
        if inner is None:
            continue
        producer = graph.producer[inner]
        producer.output[list(producer.output).index(inner)] = item.name
        for node, index in graph.readers.get(inner, []):
            if node.op_type not in _PAIR:
                node.input[index] = item.name


def _drop_pairs(model: onnx.ModelProto, graph: Graph) -> None:
    for node in model.graph.node:
        name = node.input[0] if node.input else ""
        if node.op_type == "DequantizeLinear" and name in graph.constants:
            value = (graph.value(name).astype(np.float32) - _zero(graph, node)) * _scale(graph, node)
            graph.constants[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    kept = [node for node in model.graph.node if node.op_type not in _PAIR]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    drop_unread(model)
    del model.graph.value_info[:]


def _scale(graph: Graph, dequantize: onnx.NodeProto) -> NDArray[np.float32]:
    """Of integer constants, shaped to multiply them."""
    return _along_axis(graph, dequantize, graph.value(dequantize.input[1]))


def _zero(graph: Graph, dequantize: onnx.NodeProto) -> NDArray[np.float32]:
    if len(dequantize.input) < 3:
        return np.zeros(1, np.float32)
    return _along_axis(graph, dequantize, graph.value(dequantize.input[2]))


def _along_axis(graph: Graph, dequantize: onnx.NodeProto, values: NDArray[Any]) -> NDArray[np.float32]:
    values = values.astype(np.float32).reshape(-1)
    if values.size == 1:
        return values
    axis = next((item.i for item in dequantize.attribute if item.name == "axis"), 1)
    shape = [1] * len(graph.shape_of_constant(dequantize.input[0]))
    shape[axis] = -1
    return values.reshape(shape)
