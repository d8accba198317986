"""One ONNX node on its way into the TFLite model: what a lowering function sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.graph import ConversionError, Graph, Node
from edgeau_export.onnx_to_tflite.quantization import Quantization, TflitePrecision, sixteen_bit
from edgeau_export.onnx_to_tflite.tensor import Layout, Tensor, physical, plain
from edgeau_export.onnx_to_tflite.values import Values

__all__ = ["Operation"]

_T = TypeVar("_T")


class Operation:
    """A node, its operands in the form its kernel wants, and a place for its answer.

    Args:
        node: node of the ONNX graph.
        graph: that it belongs to.
        values: what was translated so far.
        precision: precision of the file.
        quantization: quantization of the answer, where the kernel works in integers; None where it works in float.
    """

    def __init__(
        self,
        node: Node,
        graph: Graph,
        values: Values,
        precision: TflitePrecision,
        quantization: Quantization | None,
    ) -> None:
        self.node = node
        self.values = values
        self.precision = precision
        self.quantization = quantization
        self._graph = graph

    @property
    def integer(self) -> bool:
        """True where the kernel works in integers."""
        return self.quantization is not None

    def attribute(self, name: str, default: _T) -> _T:
        """An attribute of the node."""
        value: _T = self.node.attributes.get(name, default)
        return value

    def has(self, number: int) -> bool:
        """Tell whether an input is given."""
        return number < len(self.node.inputs) and self.node.inputs[number] != ""

    def is_constant(self, number: int) -> bool:
        """Tell whether an input is known now."""
        return self.values.is_constant(self.node.inputs[number])

    def constant(self, number: int) -> NDArray[Any]:
        """A constant input's numbers, in ONNX's axis order.

        Raises:
            ConversionError: it depends on the picture.
        """
        name = self.node.inputs[number]
        if not self.values.is_constant(name):
            raise ConversionError(
                f"{self.node}: input {number} ({name}) is computed from the picture; it must be a constant"
            )
        return self.values.array(name)

    def stored_constant(self, number: int) -> tuple[NDArray[np.generic], Quantization] | None:
        """A constant input's own integers, in ONNX's axis order; None where it is float."""
        return self.values.quantized_constants.get(self.node.inputs[number])

    def shape(self, number: int) -> tuple[int, ...]:
        """An input's shape in ONNX's axis order."""
        name = self.node.inputs[number]
        return tuple(self.constant(number).shape) if self.is_constant(number) else self._shape(name)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the answer, in ONNX's axis order."""
        return self._shape(self.node.outputs[0])

    def activation(self, number: int, layout: Layout | None = None) -> Tensor:
        """An input as the kernel reads it: float or integers, in a layout; None takes it as it lies."""
        name = self.node.inputs[number]
        if self.values.is_constant(name):
            return self._constant(number, layout)
        tensor = self.values.tensors[name]
        if not self.integer:
            tensor = self.values.as_float(tensor)
        return tensor if layout is None else self.values.in_layout(tensor, layout)

    def layout(self, number: int) -> Layout:
        """Layout of an input in memory; a constant lies as ONNX has it."""
        name = self.node.inputs[number]
        if self.values.is_constant(name):
            return plain(len(self.shape(number)))
        return self.values.tensors[name].layout

    def output(self, layout: Layout, quantization: Quantization | None = None) -> Tensor:
        """A tensor for the answer.

        Args:
            layout: in which the kernel writes it.
            quantization: that the kernel dictates; None takes what the graph asks for.
        """
        return self.temporary(self.output_shape, layout, quantization or self.quantization)

    def temporary(
        self, shape: Sequence[int], layout: Layout, quantization: Quantization | None = None
    ) -> Tensor:
        """A tensor between two operators; ``shape`` in ONNX's axis order."""
        return self.values.model.tensor(self.node.outputs[0], physical(shape, layout), layout, quantization)

    def emit(self, builtin: int, inputs: Sequence[Tensor], output: Tensor, options: Any = None) -> Tensor:
        """Add an operator; returns its output."""
        self.values.model.operator(builtin, inputs, [output], options)
        return output

    def emit_in_place(
        self, builtin: int, inputs: Sequence[Tensor], layout: Layout, options: Any = None
    ) -> Tensor:
        """Add an operator whose kernel keeps the scale of its first input, then rescale where the graph asks for another."""
        kept = self.temporary(self.output_shape, layout, inputs[0].quantization)
        return self.requantize(self.emit(builtin, inputs, kept, options))

    def requantize(self, tensor: Tensor) -> Tensor:
        """The same numbers in the integers that the graph asks for."""
        return tensor if self.quantization is None else self.values.as_integers(tensor, self.quantization)

    def numbers(self, *values: int) -> Tensor:
        """A constant of int32, for a kernel's parameter."""
        return self.values.whole_numbers(tuple(int(value) for value in values))

    def finish(self, tensor: Tensor) -> None:
        """The node's answer is there."""
        self.values.tensors[self.node.outputs[0]] = tensor

    def weights(self, array: NDArray[np.float32], name: str, axis: int, *, hybrid: bool) -> Tensor:
        """Weights of a float kernel, stored as the precision of the file says.

        Args:
            array: in memory's axis order.
            name: for people.
            axis: axis of the output channels.
            hybrid: whether the kernel can take int8 weights beside float activations.
        """
        return self.values.weights(array, name, axis, self.precision, hybrid=hybrid)

    def _constant(self, number: int, layout: Layout | None) -> Tensor:
        name = self.node.inputs[number]
        layout = plain(len(self.shape(number))) if layout is None else layout
        tensor = self.values.constant(name, len(layout), layout, integer=self.integer)
        if tensor.quantization is not None and self.precision.sixteen_bit:
            return self.values.as_integers(tensor, sixteen_bit(tensor.quantization))
        return tensor

    def _shape(self, name: str) -> tuple[int, ...]:
        if name not in self._graph.shapes:
            raise ConversionError(
                f"{self.node}: the shape of {name} is not known; export the network with fixed sizes"
            )
        return self._graph.shapes[name]
