"""Multiply-accumulates of an ONNX graph, and which of them an engine does in integers.

The one place that counts them: the search for a budget, the profiles of files and every report go by it.

A product is done in integers where an integer operator computes it, or where both of its operands are dequantized and its
result is quantized again (or is the graph's output): ONNX Runtime and LiteRT fuse exactly these. A graph with float weights
behind whole Q/DQ pairs is meant for TensorRT, whose kernels also take integers in and give floats out; there, dequantized
operands are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import onnx

from edgeau.errors import CalibrationError
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.quantizable_layers import WEIGHTED
from edgeau_calibration.graph.subgraph import with_outputs
from edgeau_calibration.graph.view import GraphView, with_shapes

__all__ = [
    "INTEGER_PRODUCTS",
    "OTHER_PRODUCTS",
    "PRODUCTS",
    "integer_products",
    "integer_share",
    "macs_by_node",
    "macs_of",
    "tensor_shapes",
]

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
INTEGER_PRODUCTS = ("QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger")
# Of files that an engine wrote, and products over any axes.
OTHER_PRODUCTS = ("Einsum", "FusedConv", "FusedGemm", "FusedMatMul")
# What engines compute inside the kernel of a product, before its result is quantized.
_FUSED = ("QuantizeLinear", "Relu", "Clip")


def macs_of(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Multiply-accumulates of one node: scalars of its result times the inner length of each product.

    Args:
        node: any; what is not a product has none.
        shapes: shapes of tensors and constants by name, the batch axis included; 0 where one is missing.
    """
    result = prod(shapes.get(node.output[0], (0,)))
    match node.op_type:
        case "Conv" | "ConvInteger" | "FusedConv":
            return result * prod(shapes.get(node.input[1], (0,))[1:])
        case "QLinearConv":
            return result * prod(shapes.get(node.input[3], (0,))[1:])
        case "ConvTranspose":
            return prod(shapes.get(node.input[0], (0,))) * prod(shapes.get(node.input[1], (0,))[1:])
        case "Gemm" | "QGemm" | "FusedGemm":
            return result * shapes.get(node.input[0], (0, 0))[0 if _is_transposed(node) else 1]
        case "MatMul" | "MatMulInteger" | "QLinearMatMul":
            return result * shapes.get(node.input[0], (0,))[-1]
        case "FusedMatMul":
            return result * shapes.get(node.input[0], (0, 0))[-2 if _is_transposed(node) else -1]
        case "Einsum":
            return _einsum(node, shapes)
    return 0


def _is_transposed(node: onnx.NodeProto) -> bool:
    return any(one.name == "transA" and one.i for one in node.attribute)


def _einsum(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Length of every index, multiplied; of one operand there is no product."""
    (equation,) = (one.s.decode() for one in node.attribute if one.name == "equation")
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    if len(terms) < 2 or "..." in equation:
        return (
            0
            if len(terms) < 2
            else prod(shapes.get(node.output[0], (0,))) * shapes.get(node.input[0], (0,))[-1]
        )
    lengths: dict[str, int] = {}
    for term, name in zip(terms, node.input, strict=True):
        lengths.update(zip(term, shapes.get(name, (0,) * len(term)), strict=False))
    return prod(lengths.values()) * (len(terms) - 1)


def macs_by_node(model: onnx.ModelProto) -> dict[str, int]:
    """Multiply-accumulates of one input, by name of the Conv, Gemm or MatMul; graph order.

    Shapes that cannot be inferred, as behind sizes that a graph computes (Swin's windows), are those of a run on zeros.

    Raises:
        CalibrationError: a shape is not known.
    """
    graph = with_shapes(model, batch=1).graph
    shapes = tensor_shapes(graph)
    nodes = [node for node in graph.node if node.op_type in (*WEIGHTED, "MatMul")]
    needed = dict.fromkeys(name for node in nodes for name in (*node.input[:2], node.output[0]))
    if absent := [name for name in needed if name not in shapes]:
        shapes |= _shapes_of_a_run(model, absent)
    for node in nodes:
        if not all(name in shapes for name in (*node.input[:2], node.output[0])):
            raise CalibrationError(
                f"the shape of {node.name or node.op_type} is not known; export the network with fixed height and width"
            )
    return {node.name: macs_of(node, shapes) for node in nodes}


def _shapes_of_a_run(model: onnx.ModelProto, names: list[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of tensors while one input of zeros passes; empty where the input's own size is open."""
    (entry,) = (
        item for item in model.graph.input if item.name not in {one.name for one in model.graph.initializer}
    )
    size = [axis.dim_value for axis in entry.type.tensor_type.shape.dim][1:]
    if not all(size):
        return {}
    answers = open_model(with_outputs(model, names)).run(
        names, {entry.name: np.zeros((1, *size), np.float32)}
    )
    return {name: tuple(np.shape(answer)) for name, answer in zip(names, answers, strict=True)}


def tensor_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor and constant of an inferred graph whose axes are all known; a scalar has ()."""
    view = GraphView(graph)
    names = (*(item.name for item in (*graph.input, *graph.value_info, *graph.output)), *view.constants)
    shapes = ((name, view.shape(name)) for name in names)
    return {
        name: shape for name, shape in shapes if shape is not None and (name in view.constants or all(shape))
    }


def integer_products(graph: onnx.GraphProto) -> frozenset[str] | None:
    """First outputs of the products that an engine does in integers; None where nothing is quantized."""
    kinds = {node.op_type for node in graph.node}
    if kinds.isdisjoint(("DequantizeLinear", *INTEGER_PRODUCTS)):
        return None
    view = GraphView(graph)
    outputs = {item.name for item in graph.output}

    def in_integers(node: onnx.NodeProto) -> bool:
        if node.op_type in INTEGER_PRODUCTS:
            return True
        if node.op_type not in PRODUCTS or not all(
            view.made_by(name) == "DequantizeLinear" for name in node.input[:2]
        ):
            return False
        if view.producer[node.input[1]].input[0] not in view.constants:  # a whole pair on float weights
            return True
        return node.output[0] in outputs or view.kinds_reading(node.output[0]) <= set(_FUSED)

    return frozenset(node.output[0] for node in graph.node if in_integers(node))


def integer_share(quantized: onnx.ModelProto, macs: Mapping[str, int]) -> float:
    """Share of the multiply-accumulates done in integers, 0..1.

    Args:
        quantized: Q/DQ graph.
        macs: MACs of the float graph that it was made from, by name of node.
    """
    integer = integer_products(quantized.graph) or frozenset()
    names = {node.name for node in quantized.graph.node if node.output[0] in integer}
    return sum(count for name, count in macs.items() if name in names) / max(sum(macs.values()), 1)
