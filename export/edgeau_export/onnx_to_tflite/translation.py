"""Node by node from an ONNX graph to a TFLite model.

Where a node stands between DequantizeLinear and QuantizeLinear, its integer kernel computes the same as the three together,
up to rounding: so it runs in integers. Everything else runs in float, with DEQUANTIZE and QUANTIZE around it: a float island.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.graph import ConversionError, Graph, Node
from edgeau_export.onnx_to_tflite.lowering import LOWERINGS
from edgeau_export.onnx_to_tflite.lowering.registry import Lowering
from edgeau_export.onnx_to_tflite.model import FlatModel, Operator
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.quantization import (
    Quantization,
    TflitePrecision,
    shift_zero_point,
    sixteen_bit,
)
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator
from edgeau_export.onnx_to_tflite.tensor import NHWC, Tensor, physical, plain
from edgeau_export.onnx_to_tflite.values import Values

__all__ = ["translate_graph", "with_integer_ends"]


def translate_graph(graph: Graph, precision: TflitePrecision) -> tuple[FlatModel, Tensor, Tensor]:
    """The model, its input, and its output.

    Raises:
        ConversionError: a node has no TFLite form; the message names it.
    """
    translation = _Translation(graph, precision)
    return translation.model, *translation.run()


class _Translation:
    def __init__(self, graph: Graph, precision: TflitePrecision) -> None:
        self.model = FlatModel()
        self._graph = graph
        self._precision = precision
        self._values = Values(self.model, graph.constants)
        self._consumers = graph.consumers()

    def run(self) -> tuple[Tensor, Tensor]:
        shape = self._graph.shapes[self._graph.input]
        layout = NHWC if len(shape) == 4 else plain(len(shape))
        start = self.model.tensor(self._graph.input, physical(shape, layout), layout)
        self._values.tensors[self._graph.input] = start
        for node in self._graph.nodes:
            self._translate(node)
        end = self._values.as_float(self._values.tensors[self._graph.output])
        return start, self._values.in_layout(end, plain(len(end.shape)))

    def _translate(self, node: Node) -> None:
        if node.operator == "QuantizeLinear":
            self._quantize(node)
        elif node.operator == "DequantizeLinear":
            self._dequantize(node)
        else:
            lowering = _lowering(node)
            quantization = self._integers_of(node, lowering)
            lowering.function(Operation(node, self._graph, self._values, self._precision, quantization))

    def _quantize(self, node: Node) -> None:
        tensor = self._values.tensors[node.inputs[0]]
        if not _dictated(tensor):
            tensor = self._values.as_integers(tensor, self._asked(node))
        self._values.tensors[node.outputs[0]] = tensor

    def _dequantize(self, node: Node) -> None:
        """No operator yet: whoever wants floats asks for them, an integer kernel does not."""
        name = node.inputs[0]
        if name not in self._graph.constants:
            self._values.tensors[node.outputs[0]] = self._values.tensors[name]
            return
        stored = self._graph.constants[name]
        quantization = self._parameters(node, stored.dtype)
        if stored.dtype == np.uint8:
            stored = (stored.astype(np.int16) - 128).astype(np.int8)
        self._values.quantized_constants[node.outputs[0]] = (stored, shift_zero_point(quantization))

    def _integers_of(self, node: Node, lowering: Lowering) -> Quantization | None:
        """Find what the node's answer is quantized to, where its kernel can work in integers; else None."""
        if lowering.integer and self._reads_integers(node, lowering):
            return self._written(node.outputs[0])
        return None

    def _reads_integers(self, node: Node, lowering: Lowering) -> bool:
        return all(
            self._is_integer(name)
            for number, name in enumerate(node.inputs)
            if name and number not in lowering.parameters
        )

    def _is_integer(self, name: str) -> bool:
        if name in self._values.tensors:
            return self._values.tensors[name].quantization is not None
        stored = self._values.quantized_constants.get(name)
        return stored is not None and stored[0].dtype == np.int8

    def _written(self, name: str) -> Quantization | None:
        """Find what all readers of a value quantize it to; None where one of them wants the float."""
        readers = self._consumers.get(name, [])
        if name == self._graph.output or not readers:
            return None
        if any(reader.operator != "QuantizeLinear" for reader in readers):
            return None
        first, *others = (self._asked(reader) for reader in readers)
        return first if all(first.same_as(other) for other in others) else None

    def _asked(self, node: Node) -> Quantization:
        """Read what a QuantizeLinear asks for, in the signed integers of TFLite."""
        zero_point = node.inputs[2] if len(node.inputs) > 2 else ""
        dtype = self._graph.constants[zero_point].dtype if zero_point else np.dtype(np.uint8)
        quantization = self._parameters(node, dtype)
        if quantization.scale.size != 1:
            raise ConversionError(
                f"{node}: TFLite quantizes an activation with one scale, not one per channel"
            )
        return sixteen_bit(quantization) if self._precision.sixteen_bit else shift_zero_point(quantization)

    def _parameters(self, node: Node, dtype: np.dtype[Any]) -> Quantization:
        scale = self._graph.constants[node.inputs[1]].astype(np.float32).reshape(-1)
        zero_point: NDArray[np.int64] = np.zeros(scale.size, np.int64)
        if len(node.inputs) > 2 and node.inputs[2]:
            zero_point = self._graph.constants[node.inputs[2]].astype(np.int64).reshape(-1)
        axis = int(node.attributes.get("axis", 1)) if scale.size > 1 else 0
        return Quantization(dtype, scale, zero_point, axis)


def _lowering(node: Node) -> Lowering:
    if node.operator not in LOWERINGS:
        raise ConversionError(
            f"ONNX operator {node.operator} (node {node.name or node.outputs[0]!r}) has no TFLite form here; known are "
            f"{', '.join(sorted(LOWERINGS))}. Change the network, or export it for ONNX Runtime (--target cpu)"
        )
    return LOWERINGS[node.operator]


def _dictated(tensor: Tensor) -> bool:
    """Tell whether a kernel fixes its output's scale (LOGISTIC, SOFTMAX: 1/256): nothing is gained by rounding it once more."""
    return tensor.quantization is not None and tensor.quantization.dictated


def with_integer_ends(model: FlatModel, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Let a model take and give integers, for programs that hold pictures as bytes, and accelerators that know no float.

    Takes a QUANTIZE that is the only reader of the input, and a DEQUANTIZE that writes the output, out of it.

    Returns:
        The input and the output as they are then; an end that is float for another reason stays.
    """
    readers = [item for item in model.operators if start.index in item.inputs]
    if len(readers) == 1 and readers[0].builtin == BuiltinOperator.QUANTIZE:
        start = _without_operator(model, readers[0], readers[0].outputs[0])
    (writer,) = (item for item in model.operators if end.index in item.outputs)
    if writer.builtin == BuiltinOperator.DEQUANTIZE:
        end = _without_operator(model, writer, writer.inputs[0])
    return start, end


def _without_operator(model: FlatModel, operator: Operator, left: int) -> Tensor:
    model.operators.remove(operator)
    return next(tensor for tensor in model.tensors if tensor.index == left)
