"""Reading an ONNX graph: shapes inferred, and what does not depend on the picture computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TypeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgeau_export.onnx_to_tflite.graph import ConversionError, Graph, Node

__all__ = ["read_graph"]


_ALIASES = ("Identity", "Dropout")


def read_graph(model: onnx.ModelProto) -> Graph:
    """Read a model whose batch is 1.

    Raises:
        ConversionError: it has more than one input or output, or a shape that is not known.
    """
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    inputs = [item.name for item in model.graph.input if item.name not in constants]
    outputs = [item.name for item in model.graph.output]
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConversionError(
            f"the ONNX graph has inputs {inputs} and outputs {outputs}; one of each can be converted"
        )
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    start = next(item for item in model.graph.input if item.name == inputs[0])
    nodes = _without_aliases([_node(node) for node in model.graph.node], outputs[0])
    shapes: dict[str, tuple[int, ...]] = {}
    remaining = len(nodes) + 1
    while len(nodes) < remaining:  # a number that becomes known may tell a shape, and a shape a number
        remaining = len(nodes)
        shapes = _inferred_shapes(nodes, constants, start, opset)
        nodes = _folded(nodes, constants, shapes, opset)
    return Graph(inputs[0], outputs[0], nodes, constants, shapes).without_dead_nodes()


def _node(node: onnx.NodeProto) -> Node:
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    return Node(node.op_type, node.name, tuple(node.input), tuple(node.output), attributes)


def _without_aliases(nodes: Iterable[Node], output: str) -> list[Node]:
    names: dict[str, str] = {}
    kept = []
    for node in nodes:
        inputs = tuple(names.get(name, name) for name in node.inputs)
        if node.operator in _ALIASES and node.outputs[0] != output:
            names[node.outputs[0]] = inputs[0]
        else:
            kept.append(replace(node, inputs=inputs))
    return kept


# Numbers of larger constants say nothing about shapes; they are left out, so that no weights are copied.
_TELLING = 64


def _inferred_shapes(
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


def _as_proto(node: Node) -> onnx.NodeProto:
    """A node as ONNX writes it."""
    return helper.make_node(node.operator, node.inputs, node.outputs, node.name, **node.attributes)


def _telling(node: Node) -> onnx.NodeProto:
    """A node for shape inference, which knows no 16-bit QuantizeLinear before opset 21."""
    if node.operator == "QuantizeLinear":
        return helper.make_node("Identity", node.inputs[:1], node.outputs)
    if node.operator == "DequantizeLinear":
        return helper.make_node("Cast", node.inputs[:1], node.outputs, to=onnx.TensorProto.FLOAT)
    return _as_proto(node)


def _described(name: str, array: NDArray[np.generic]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def _folded(
    nodes: Iterable[Node],
    constants: dict[str, NDArray[np.generic]],
    shapes: dict[str, tuple[int, ...]],
    opset: int,
) -> list[Node]:
    """The nodes that remain; what the others answer is added to ``constants``.

    Weights keep their integers: a DequantizeLinear of constants stays a node.
    """
    kept = []
    for node in nodes:
        if node.operator == "Shape" and node.inputs[0] in shapes:
            constants[node.outputs[0]] = np.array(shapes[node.inputs[0]], np.int64)
        elif node.operator != "DequantizeLinear" and all(n in constants or not n for n in node.inputs):
            constants.update(zip(node.outputs, _evaluated(node, constants, opset), strict=True))
        else:
            kept.append(node)
    return kept


def _evaluated(
    node: Node, constants: dict[str, NDArray[np.generic]], opset: int
) -> list[NDArray[np.generic]]:
    given = {name: constants[name] for name in node.inputs if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    outputs = [helper.make_value_info(name, TypeProto()) for name in node.outputs]
    graph = helper.make_graph([_as_proto(node)], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return [np.asarray(answer) for answer in ReferenceEvaluator(model).run(None, given)]
