"""An ONNX graph, read into plain records with every shape known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import onnx
from onnx import numpy_helper

from edgeau_export.onnx_to_tflite.errors import ConversionError
from edgeau_export.onnx_to_tflite.folding import folded
from edgeau_export.onnx_to_tflite.shapes import inferred_shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Graph", "Node", "read_graph"]

_ALIASES = ("Identity", "Dropout")


@dataclass(frozen=True)
class Node:
    """One ONNX node; an input that is left out is ``""``."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operator} {self.name or self.outputs[0]!r}"


@dataclass
class Graph:
    """Nodes in an order in which they can run.

    Attributes:
        input: name of the one input.
        output: name of the one output.
        nodes: without constants, shape arithmetic and names for the same thing.
        constants: by name.
        shapes: of every tensor, in ONNX's axis order.
    """

    input: str
    output: str
    nodes: list[Node]
    constants: dict[str, NDArray[np.generic]]
    shapes: dict[str, tuple[int, ...]]

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read each tensor."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in set(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    def without_dead_nodes(self) -> Graph:
        """The nodes that the output depends on."""
        wanted = {self.output}
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(node.inputs)
        return replace(self, nodes=kept[::-1])


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
        shapes = inferred_shapes(nodes, constants, start, opset)
        nodes = folded(nodes, constants, shapes, opset)
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
