"""Nodes with weights, float or quantized, seen alike: their constants, and their products as one matrix.

In a Q/DQ graph the weight is ``DequantizeLinear(integers, scale, zero point)``, with a whole ``QuantizeLinear`` and
``DequantizeLinear`` pair on float weights where an engine wants that.
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from edgeau_calibration.graph.view import GraphView

__all__ = [
    "WEIGHTED",
    "QuantizedWeight",
    "float_layers",
    "quantized_weight",
    "weighted_nodes",
    "with_constants_of",
]

WEIGHTED = ("Conv", "Gemm")


@dataclass(frozen=True)
class QuantizedWeight:
    """Names of the constants of a quantized node.

    Attributes:
        node: the Conv or Gemm.
        activation: the dequantized tensor that it reads.
        activation_scale: initializer with the scale of that tensor.
        values: initializer with the weights: int8, or float in front of a whole pair.
        scale: initializer with their scales, one per output channel.
        bias: initializer with the bias: int32, or float; None without one.
        bias_scale: initializer with the scale of an int32 bias; None for a float one.
    """

    node: onnx.NodeProto
    activation: str
    activation_scale: str
    values: str
    scale: str
    bias: str | None
    bias_scale: str | None


def weighted_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes with constant weights, in the order of the graph; a Gemm only with its weights as (outputs, inputs)."""
    view = GraphView(graph)

    def is_fixed(name: str) -> bool:
        while view.made_by(name) in ("DequantizeLinear", "QuantizeLinear"):
            name = view.producer[name].input[0]
        return name in view.constants

    return [
        node
        for node in graph.node
        if node.op_type in WEIGHTED
        and is_fixed(node.input[1])
        and (node.op_type == "Conv" or _attribute(node, "transB", 0) == 1)
    ]


def quantized_weight(graph: onnx.GraphProto, node: onnx.NodeProto) -> QuantizedWeight | None:
    """Find the constants of a node of a Q/DQ graph; None where it stayed in float."""
    made_by = GraphView(graph).producer
    weight, activation = made_by.get(node.input[1]), made_by.get(node.input[0])
    if weight is None or weight.op_type != "DequantizeLinear":
        return None
    if activation is None or activation.op_type != "DequantizeLinear":
        return None
    pair = made_by.get(weight.input[0])
    bias = node.input[2] if len(node.input) > 2 and node.input[2] else None
    bias_from = made_by.get(bias) if bias is not None else None
    return QuantizedWeight(
        node=node,
        activation=node.input[0],
        activation_scale=activation.input[1],
        values=weight.input[0] if pair is None else pair.input[0],
        scale=weight.input[1],
        bias=bias if bias_from is None else bias_from.input[0],
        bias_scale=None if bias_from is None else bias_from.input[1],
    )


def with_constants_of(model: onnx.ModelProto, donor: onnx.ModelProto) -> None:
    """Give the integer layers of a Q/DQ graph the weights, scales and biases of the same layers of another one, in place."""
    mine, theirs = GraphView(model.graph), GraphView(donor.graph)
    donors = {node.name: node for node in weighted_nodes(donor.graph)}
    for node in weighted_nodes(model.graph):
        place = quantized_weight(model.graph, node)
        source = quantized_weight(donor.graph, donors[node.name]) if node.name in donors else None
        if place is None or source is None:
            continue
        pairs = ((place.values, source.values), (place.scale, source.scale), (place.bias, source.bias),
                 (place.bias_scale, source.bias_scale))  # fmt: skip
        for name, other in pairs:
            if name is not None and other is not None:
                mine.set_value(name, theirs.value(other))


def _attribute(node: onnx.NodeProto, name: str, default: int) -> int:
    for item in node.attribute:
        if item.name == name:
            return int(item.i)
    return default


def float_layers(model: onnx.ModelProto) -> list[str]:
    """Names of the layers with weights that a Q/DQ graph leaves in float."""
    view = GraphView(model.graph)
    return [
        node.name or node.output[0]
        for node in weighted_nodes(model.graph)
        if any(view.made_by(name) != "DequantizeLinear" for name in node.input[:2])
    ]
