"""A view of an ONNX graph: who makes a tensor, who reads it, which are constants and what is in them, what shape it has.

Everything that looks at ONNX graphs, in calibration and export, looks through it. ONNX Runtime's quantizer, its sessions and
onnx's checker take and give protos, so it is an index over a proto and not a graph of its own
(docs/decisions/one-graph-view.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

__all__ = ["GraphView", "drop_unread", "with_shapes"]


class GraphView:
    """An index of a graph; made anew after nodes came, went or were tied otherwise.

    Args:
        graph: graph of a model, in topological order.

    Attributes:
        graph: what is looked at.
        nodes: in their order.
        producer: node by the tensor that it makes.
        readers: by tensor, the nodes that read it and which of their inputs it is, in the graph's order.
        constants: initializers by name; :meth:`value` and :meth:`set_value` read and write them as arrays.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.nodes = graph.node
        self.constants = {item.name: item for item in graph.initializer}
        self.producer = {output: node for node in graph.node for output in node.output}
        self.readers: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
        for node in graph.node:
            for index, name in enumerate(node.input):
                self.readers.setdefault(name, []).append((node, index))
        self._shapes: dict[str, tuple[int, ...]] | None = None

    def value(self, name: str) -> NDArray[Any]:
        """Return the value of a constant."""
        return numpy_helper.to_array(self.constants[name])

    def set_value(self, name: str, value: NDArray[np.generic]) -> None:
        """Give a constant another value, in the graph itself."""
        self.constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))

    def made_by(self, tensor: str) -> str | None:
        """Operator that makes a tensor; None for inputs and constants."""
        node = self.producer.get(tensor)
        return None if node is None else node.op_type

    def nodes_reading(self, tensor: str) -> list[onnx.NodeProto]:
        """In the order of the graph; a node that reads it twice stands there once."""
        found: list[onnx.NodeProto] = []
        for node, _ in self.readers.get(tensor, []):
            if not found or found[-1] is not node:
                found.append(node)
        return found

    def kinds_reading(self, tensor: str) -> set[str]:
        """Operators that read a tensor."""
        return {node.op_type for node, _ in self.readers.get(tensor, [])}

    def shape(self, tensor: str) -> tuple[int, ...] | None:
        """Return the shape of a tensor or constant, 0 where a size is not fixed; None where the graph does not say (:func:`with_shapes` infers it)."""
        if self._shapes is None:
            declared = (*self.graph.input, *self.graph.value_info, *self.graph.output)
            self._shapes = {
                item.name: tuple(axis.dim_value for axis in item.type.tensor_type.shape.dim)
                for item in declared
                if item.type.tensor_type.HasField("shape")
            } | {name: tuple(item.dims) for name, item in self.constants.items()}
        return self._shapes.get(tensor)


def with_shapes(model: onnx.ModelProto, batch: int | None = None) -> onnx.ModelProto:
    """The same model with the shape of every tensor for which it can be inferred.

    Args:
        model: any.
        batch: size of the first axis of inputs and outputs; None leaves it as it is.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if batch is not None:
        for tensor in (*copy.graph.input, *copy.graph.output):
            axes = tensor.type.tensor_type.shape.dim
            if len(axes):
                axes[0].dim_value = batch
        # Shapes in between still name the dynamic batch.
        del copy.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(copy, data_prop=True)


def drop_unread(model: onnx.ModelProto) -> None:
    """Remove constants that no node reads."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [item for item in model.graph.initializer if item.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
