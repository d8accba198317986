"""Operators that move or name numbers and compute none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.padding import pad
from edgeau_export.onnx_to_tflite.lowering.registry import lowers, options
from edgeau_export.onnx_to_tflite.lowering.reshaping import reshape_values
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import NHWC, follow, physical, plain

__all__ = ["alias", "concat", "constant_pad", "expand", "reshape", "slice_", "transpose"]


@lowers("Identity", "Dropout", integer=True)
def alias(op: Operation) -> None:
    """Another name."""
    op.finish(op.requantize(op.activation(0)))


@lowers("Reshape", "Flatten", "Squeeze", "Unsqueeze", integer=True, parameters=(1,))
def reshape(op: Operation) -> None:
    """All of them: the shape that comes out says everything."""
    if op.attribute("channels_last", 0):  # the weights behind it were put in this order
        tensor = op.activation(0, NHWC)
        answer = op.temporary(op.output_shape, plain(2), tensor.quantization)
        op.finish(op.emit(Op.RESHAPE, [tensor, op.numbers(*op.output_shape)], answer))
        return
    op.finish(op.requantize(reshape_values(op, op.activation(0), op.shape(0), op.output_shape)))


@lowers("Expand")
def expand(op: Operation) -> None:
    """Repeats along axes of length 1; axes that are new come first and have length 1 before."""
    rank, shape = len(op.output_shape), op.shape(0)
    tensor = op.activation(0, plain(len(shape)))
    if len(shape) < rank:
        full = (1,) * (rank - len(shape)) + tuple(shape)
        tensor = op.emit(Op.RESHAPE, [tensor, op.numbers(*full)], op.temporary(full, plain(rank)))
    if tensor.shape == op.output_shape:
        op.finish(tensor)
        return
    answer = op.output(plain(rank))
    op.finish(op.emit(Op.BROADCAST_TO, [tensor, op.numbers(*op.output_shape)], answer))


@lowers("Transpose", integer=True)
def transpose(op: Operation) -> None:
    """Only the names of the axes change; who wants them in a certain order will say so."""
    tensor = op.activation(0)
    permutation = op.attribute("perm", tuple(reversed(plain(len(tensor.shape)))))
    op.finish(op.requantize(replace(tensor, layout=follow(tensor.layout, permutation))))


@lowers("Concat", integer=True)
def concat(op: Operation) -> None:
    """All inputs in the layout, and in the integers, of the answer."""
    count, rank = len(op.node.inputs), len(op.output_shape)
    layout = next((op.layout(n) for n in range(count) if not op.is_constant(n)), plain(rank))
    tensors = [op.requantize(op.activation(number, layout)) for number in range(count)]
    table = options("Concatenation", axis=layout.index(op.attribute("axis", 0) % rank))
    op.finish(op.emit(Op.CONCATENATION, tensors, op.output(layout), table))


@lowers("Slice", integer=True, parameters=(1, 2, 3, 4))
def slice_(op: Operation) -> None:
    """With constant bounds; steps of 1 by the cheaper kernel."""
    tensor, shape = op.activation(0), op.shape(0)
    rank = len(shape)
    given = op.constant(3).tolist() if op.has(3) else list(range(len(op.constant(1))))
    steps = op.constant(4).tolist() if op.has(4) else [1] * len(given)
    begins, strides = [0] * rank, [1] * rank
    for axis, start, step in zip(given, op.constant(1).tolist(), steps, strict=True):
        if step < 1:
            raise ConversionError(f"{op.node}: a slice that runs backwards has no TFLite form here")
        begins[axis % rank] = min(
            max(start + shape[axis % rank] if start < 0 else start, 0), shape[axis % rank]
        )
        strides[axis % rank] = step
    begin, size = physical(begins, tensor.layout), physical(op.output_shape, tensor.layout)
    if set(strides) == {1}:
        inputs = [tensor, op.numbers(*begin), op.numbers(*size)]
        op.finish(op.emit_in_place(Op.SLICE, inputs, tensor.layout, tables.SliceOptionsT()))
        return
    step = physical(strides, tensor.layout)
    end = tuple(b + (n - 1) * s + 1 for b, n, s in zip(begin, size, step, strict=True))
    inputs = [tensor, op.numbers(*begin), op.numbers(*end), op.numbers(*step)]
    op.finish(op.emit_in_place(Op.STRIDED_SLICE, inputs, tensor.layout, options("StridedSlice")))


@lowers("Pad", integer=True, parameters=(1, 2, 3))
def constant_pad(op: Operation) -> None:
    """With a constant around; mirrored edges have no form here."""
    if op.attribute("mode", b"constant") not in (b"constant", "constant"):
        raise ConversionError(f"{op.node}: only padding with a constant can be converted")
    tensor, rank = op.activation(0), len(op.shape(0))
    amounts = op.constant(1).tolist()
    fill = float(op.constant(2).reshape(-1)[0]) if op.has(2) else 0.0
    pairs = [(int(amounts[axis]), int(amounts[axis + rank])) for axis in tensor.layout]
    op.finish(op.requantize(pad(op, tensor, pairs, fill if np.any(fill) else None)))
