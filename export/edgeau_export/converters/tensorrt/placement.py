"""Placement of Q/DQ pairs so that TensorRT fuses what it can fuse: NVIDIA's rules, for this family of networks.

The rules (TensorRT developer guide, "Q/DQ Layer-Placement Recommendations"):

*   Both inputs of a weighted operator are quantized; its output is not: an activation in between is fused into it.
    SiLU is ``x * sigmoid(x)``: no pair stands between the convolution, the sigmoid and the product.
*   Of a residual sum, the skipping input is quantized, the one that comes from the convolution is not: the sum then is
    fused into the convolution, and integer in, integer out.
    Not sums that rows are normalized from, which are without bounds (:mod:`edgeau_calibration.graph.normalized_streams`).
*   Of squeeze and excitation, the map that is squeezed and scaled is quantized once, for the pooling and for the product,
    so that it is stored once, in 8 bits.
*   One pair a tensor, however many read it: TensorRT copies the DequantizeLinear to each by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import onnx

from edgeau_calibration.graph.normalized_streams import sums_of_streams
from edgeau_calibration.graph.quantizable_layers import WEIGHTED
from edgeau_calibration.graph.view import GraphView

__all__ = ["INTEGER_LAYERS", "LEVELS", "Placement", "can_be_integer", "is_gate", "output_axis", "place"]

# Operators that TensorRT runs as integers where their weights are constant.
INTEGER_LAYERS = (*WEIGHTED, "MatMul")
# Largest magnitude of a symmetric 8-bit integer.
LEVELS = 127
_POOLS = ("GlobalAveragePool", "ReduceMean")
# TensorRT's integer kernels of grouped convolutions want groups of a multiple of four channels, or of one.
_GROUP_STEP = 4


@dataclass(frozen=True)
class Placement:
    """Places of Q/DQ pairs.

    Attributes:
        convolutions: first outputs of those that become integer, in the graph's order; a classifier's Gemm counts as one.
        inputs: by tensor that gets a pair, the readers that see it: first output of the node, and which input.
    """

    convolutions: tuple[str, ...]
    inputs: dict[str, tuple[tuple[str, int], ...]]


def place(graph: GraphView, wanted: Collection[str], known: Collection[str]) -> Placement:
    """Decide for a float graph.

    Args:
        graph: float, with shapes.
        wanted: first outputs of the convolutions that shall be integer.
        known: tensors that a range is known of; no other gets a pair.
    """
    convolutions = tuple(
        node.output[0]
        for node in graph.nodes
        if node.output[0] in wanted and can_be_integer(graph, node, node.input[1]) and node.input[0] in known
    )
    squeezed = {tensor for tensor in _squeezed_maps(graph, convolutions) if tensor in known}
    readers: dict[str, list[tuple[str, int]]] = {}
    unbounded = set(sums_of_streams(graph.graph))
    for node in graph.nodes:
        if node.name in unbounded:
            continue
        for index in _quantized_inputs(graph, node, convolutions, squeezed):
            if node.input[index] in known:
                readers.setdefault(node.input[index], []).append((node.output[0], index))
    return Placement(convolutions, {tensor: tuple(found) for tensor, found in readers.items()})


def can_be_integer(graph: GraphView, convolution: onnx.NodeProto, weights: str) -> bool:
    """Tell whether TensorRT has integer kernels for a convolution with these weights: its groups decide."""
    if convolution.op_type != "Conv":
        return True
    groups = next((item.i for item in convolution.attribute if item.name == "group"), 1)
    out, each_in = graph.constants[weights].dims[:2]
    each_out = out // groups
    return (
        groups == 1
        or (each_in, each_out) == (1, 1)
        or (each_in % _GROUP_STEP, each_out % _GROUP_STEP) == (0, 0)
    )


def is_gate(graph: GraphView, tensor: str) -> bool:
    """Tell whether a tensor is one value per channel, ``(N, C, 1, 1)``."""
    shape = graph.shape(tensor)
    return shape is not None and len(shape) == 4 and shape[2:] == (1, 1)


def _squeezed_maps(graph: GraphView, convolutions: Collection[str]) -> Iterator[str]:
    """Maps that are squeezed and scaled on their way into an integer convolution, and so want a pair."""
    for node in graph.nodes:
        index = _scaled_input(graph, node) if node.op_type == "Mul" else None
        readers = graph.readers.get(node.output[0], [])
        if index is not None and any(reader.output[0] in convolutions for reader, _ in readers):
            yield node.input[index]


def _quantized_inputs(
    graph: GraphView, node: onnx.NodeProto, convolutions: Collection[str], squeezed: set[str]
) -> tuple[int, ...]:
    """List the inputs of a node that see a pair."""
    if node.op_type in INTEGER_LAYERS:
        return (0,) if node.output[0] in convolutions else ()
    if node.op_type == "Add":
        index = _skipping_input(graph, node, convolutions)
        return () if index is None else (index,)
    if node.op_type == "Mul" and (index := _scaled_input(graph, node)) is not None:
        return (index,) if node.input[index] in squeezed else ()
    if node.op_type in _POOLS:
        return (0,) if node.input[0] in squeezed else ()
    return ()


def _skipping_input(graph: GraphView, add: onnx.NodeProto, convolutions: Collection[str]) -> int | None:
    """Find the input of a residual sum that did not just leave a convolution; None where no convolution can take it in."""
    for index in (0, 1):
        fused, skipping = add.input[index], add.input[1 - index]
        if (
            fused in convolutions
            and len(graph.readers[fused]) == 1
            and graph.made_by(skipping) is not None
            and graph.shape(fused) == graph.shape(skipping)
        ):
            return 1 - index
    return None


def _scaled_input(graph: GraphView, mul: onnx.NodeProto) -> int | None:
    """Find the map in a product of a map with one value per channel; None for other products."""
    for index in (0, 1):
        tensor, factor = mul.input[index], mul.input[1 - index]
        if (
            is_gate(graph, factor)
            and not is_gate(graph, tensor)
            and graph.kinds_reading(tensor) & set(_POOLS)
        ):
            return index
    return None


def output_axis(node: onnx.NodeProto) -> int:
    """Axis of the output channels in the weights of a weighted operator."""
    transposed = any(item.name == "transB" and item.i for item in node.attribute)
    return 1 if node.op_type == "MatMul" or (node.op_type == "Gemm" and not transposed) else 0
