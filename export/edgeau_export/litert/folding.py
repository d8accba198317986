"""Nodes whose answer does not depend on the picture, computed once: constants and the arithmetic on shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from edgeau_export.litert.graph import Node

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
    attributes = {name: _plain(value) for name, value in node.attributes.items()}
    proto = onnx.helper.make_node(node.operator, node.inputs, node.outputs, **attributes)
    given = sorted({name for name in node.inputs if name})
    graph = onnx.helper.make_graph(
        [proto],
        "constant",
        [
            onnx.helper.make_tensor_value_info(
                name, onnx.helper.np_dtype_to_tensor_dtype(constants[name].dtype), constants[name].shape
            )
            for name in given
        ],
        [onnx.helper.make_value_info(name, onnx.TypeProto()) for name in node.outputs],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    answers: list[NDArray[np.generic]] = ReferenceEvaluator(model).run(
        None, {name: constants[name] for name in given}
    )
    return [np.asarray(answer) for answer in answers]


def _plain(value: object) -> object:
    """Attributes as ``make_node`` takes them: a tensor stays a tensor."""
    return numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
