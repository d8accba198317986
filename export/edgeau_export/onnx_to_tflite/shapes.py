"""The shape of every tensor, from the nodes and the numbers that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgeau_export.onnx_to_tflite.graph import Node

__all__ = ["as_proto", "inferred_shapes"]

# Numbers of larger constants say nothing about shapes; they are left out, so that no weights are copied.
_TELLING = 64


def inferred_shapes(
    nodes: Sequence[Node],
    constants: Mapping[str, NDArray[np.generic]],
    graph_input: onnx.ValueInfoProto,
    opset: int,
) -> dict[str, tuple[int, ...]]:
    """Shapes by name, in ONNX's axis order; a tensor whose shape cannot be told is left out."""
    small = [numpy_helper.from_array(a, n) for n, a in constants.items() if a.size <= _TELLING]
    large = [_described(name, array) for name, array in constants.items() if array.size > _TELLING]
    graph = helper.make_graph(
        [_telling(node) for node in nodes], "shapes", [graph_input, *large], [], initializer=small
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    found: dict[str, tuple[int, ...]] = {}
    for value in (*inferred.input, *inferred.value_info):
        kind = value.type.tensor_type
        if kind.HasField("shape") and all(item.HasField("dim_value") for item in kind.shape.dim):
            found[value.name] = tuple(item.dim_value for item in kind.shape.dim)
    return found


def as_proto(node: Node) -> onnx.NodeProto:
    """A node as ONNX writes it."""
    return helper.make_node(node.operator, node.inputs, node.outputs, node.name, **node.attributes)


def _telling(node: Node) -> onnx.NodeProto:
    """A node for shape inference, which knows no 16-bit QuantizeLinear before opset 21."""
    if node.operator == "QuantizeLinear":
        return helper.make_node("Identity", node.inputs[:1], node.outputs)
    if node.operator == "DequantizeLinear":
        return helper.make_node("Cast", node.inputs[:1], node.outputs, to=onnx.TensorProto.FLOAT)
    return as_proto(node)


def _described(name: str, array: NDArray[np.generic]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
