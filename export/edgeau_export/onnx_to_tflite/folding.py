"""Nodes whose answer does not depend on the picture, computed once: constants and the arithmetic on shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TypeProto, helper
from onnx.reference import ReferenceEvaluator

from edgeau_export.onnx_to_tflite.shapes import as_proto

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edgeau_export.onnx_to_tflite.graph import Node

__all__ = ["folded"]


def folded(
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
    graph = helper.make_graph([as_proto(node)], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return [np.asarray(answer) for answer in ReferenceEvaluator(model).run(None, given)]
