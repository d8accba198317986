"""Taking a Q/DQ graph apart again: the float graph, what was quantized in it, and the scales.

Where pairs stand is decided anew for TensorRT (:mod:`edgeau_export.tensorrt.placement`); which convolutions may be integer,
and in which ranges, is the quantization recipe's and its budget's decision, and is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper

from edgeau.errors import TargetError
from edgeau_export.tensorrt.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Quantization", "taken_apart"]

_PAIR = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Quantization:
    """What a recipe decided.

    Attributes:
        weights: scale per output channel ``(K,)`` by the first output of the convolution that has them.
        activations: scale by tensor.
    """

    weights: Mapping[str, NDArray[np.float32]]
    activations: Mapping[str, float]


def taken_apart(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Quantization]:
    """The float graph behind a Q/DQ graph with symmetric pairs, and its quantization.

    Weights that are stored as integers become floats, each at the middle of its step.

    Raises:
        TargetError: a pair is not symmetric.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = Graph(copy)
    _check_symmetric(graph)
    origin = {
        node.output[0]: _origin(graph, node) for node in copy.graph.node if node.op_type == "DequantizeLinear"
    }
    activations: dict[str, float] = {}
    weights: dict[str, NDArray[np.float32]] = {}
    for node in copy.graph.node:
        if node.op_type in _PAIR:
            continue
        _note(graph, node, origin, activations, weights)
        for index, name in enumerate(node.input):
            node.input[index] = origin.get(name, name)
    _drop_pairs(copy, graph, origin)
    return copy, Quantization(weights, activations)


def _check_symmetric(graph: Graph) -> None:
    for node in graph.model.graph.node:
        if node.op_type in _PAIR and (len(node.input) < 3 or np.any(graph.value(node.input[2]))):
            raise TargetError(
                f"TensorRT takes symmetric quantization only, and {node.name} has a zero point: take the recipe symmetric"
            )


def _origin(graph: Graph, dequantize: onnx.NodeProto) -> str:
    """The float tensor that a DequantizeLinear stands for."""
    source: str = dequantize.input[0]
    if graph.made_by(source) == "QuantizeLinear":
        quantize: str = graph.producer[source].input[0]
        return quantize
    return source  # an integer constant


def _note(
    graph: Graph,
    node: onnx.NodeProto,
    origin: dict[str, str],
    activations: dict[str, float],
    weights: dict[str, NDArray[np.float32]],
) -> None:
    if node.op_type != "Conv" or node.input[0] not in origin or node.input[1] not in origin:
        return
    data, weight = (graph.producer[name] for name in node.input[:2])
    activations[origin[node.input[0]]] = float(graph.value(data.input[1]).reshape(-1)[0])
    scale = graph.value(weight.input[1]).astype(np.float32).reshape(-1)
    channels = graph.constants[origin[node.input[1]]].dims[0]
    weights[node.output[0]] = np.full(channels, scale[0], np.float32) if scale.size == 1 else scale


def _drop_pairs(model: onnx.ModelProto, graph: Graph, origin: dict[str, str]) -> None:
    integers = {node.input[0]: node for node in model.graph.node if node.output[0] in origin}
    for name, node in integers.items():
        if name in graph.constants:
            value = graph.value(name).astype(np.float32) * _broadcast(graph, node)
            graph.constants[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    kept = [node for node in model.graph.node if node.op_type not in _PAIR]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    read = {name for node in kept for name in node.input}
    constants = [item for item in model.graph.initializer if item.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)
    del model.graph.value_info[:]


def _broadcast(graph: Graph, dequantize: onnx.NodeProto) -> NDArray[np.float32]:
    """The scale of integer weights, shaped to multiply them."""
    scale = graph.value(dequantize.input[1]).astype(np.float32)
    if scale.size == 1:
        return scale.reshape(-1)[:1]
    axis = next((item.i for item in dequantize.attribute if item.name == "axis"), 1)
    shape = [1] * len(graph.constants[dequantize.input[0]].dims)
    shape[axis] = -1
    return scale.reshape(shape)
