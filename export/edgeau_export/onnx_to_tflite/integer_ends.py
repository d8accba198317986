"""Integers at both ends: for programs that hold pictures as bytes, and accelerators that know no float."""

from __future__ import annotations

from edgeau_export.onnx_to_tflite.model import FlatModel, Operator
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import Tensor

__all__ = ["with_integer_ends"]


def with_integer_ends(model: FlatModel, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Take a QUANTIZE that is the only reader of the input, and a DEQUANTIZE that writes the output, out of the model.

    Returns:
        The input and the output as they are then; an end that is float for another reason stays.
    """
    readers = [item for item in model.operators if start.index in item.inputs]
    if len(readers) == 1 and readers[0].builtin == tables.BuiltinOperator.QUANTIZE:
        start = _without(model, readers[0], readers[0].outputs[0])
    (writer,) = (item for item in model.operators if end.index in item.outputs)
    if writer.builtin == tables.BuiltinOperator.DEQUANTIZE:
        end = _without(model, writer, writer.inputs[0])
    return start, end


def _without(model: FlatModel, operator: Operator, left: int) -> Tensor:
    model.operators.remove(operator)
    return next(tensor for tensor in model.tensors if tensor.index == left)
