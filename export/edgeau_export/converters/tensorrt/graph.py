"""An ONNX graph with what rewriting it needs: who makes a tensor, who reads it, which are constants, what shape it has."""

from __future__ import annotations

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

__all__ = ["LEVELS", "WEIGHTED", "QdqGraph", "drop_unread", "output_axis"]

# Operators with weights that TensorRT runs as integers.
WEIGHTED = ("Conv", "Gemm")
# Largest magnitude of a symmetric 8-bit integer.
LEVELS = 127


class QdqGraph:
    """A view of a model; made anew after the model changed.

    Attributes:
        model: what is looked at.
        producer: node by the tensor that it makes.
        readers: by tensor, the nodes that read it and which of their inputs it is, in the graph's order.
        constants: initializers by name.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants = {item.name: item for item in model.graph.initializer}
        self.producer = {output: node for node in model.graph.node for output in node.output}
        self.readers: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
        for node in model.graph.node:
            for index, name in enumerate(node.input):
                self.readers.setdefault(name, []).append((node, index))
        self._shapes: dict[str, tuple[int, ...]] | None = None

    def value(self, name: str) -> NDArray[Any]:
        """Of a constant."""
        return numpy_helper.to_array(self.constants[name])

    def kinds_reading(self, tensor: str) -> set[str]:
        """Operators that read a tensor."""
        return {node.op_type for node, _ in self.readers.get(tensor, [])}

    def made_by(self, tensor: str) -> str | None:
        """Operator that makes a tensor; None for inputs and constants."""
        node = self.producer.get(tensor)
        return None if node is None else node.op_type

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Of a tensor, 0 where a size is not fixed; () where it is not known."""
        if self._shapes is None:
            inferred = onnx.shape_inference.infer_shapes(self.model).graph
            infos = (*inferred.value_info, *inferred.input, *inferred.output)
            self._shapes = {
                info.name: tuple(d.dim_value for d in info.type.tensor_type.shape.dim) for info in infos
            }
        if tensor in self.constants:
            return tuple(self.constants[tensor].dims)
        return self._shapes.get(tensor, ())


def drop_unread(model: onnx.ModelProto) -> None:
    """Remove constants that no node reads."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [item for item in model.graph.initializer if item.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def output_axis(node: onnx.NodeProto) -> int:
    """Axis of the output channels in the weights of a weighted operator."""
    transposed = any(item.name == "transB" and item.i for item in node.attribute)
    return 1 if node.op_type == "Gemm" and not transposed else 0
