"""Pooling over height and width."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.padding import Window, pad_window, window
from edgeau_export.onnx_to_tflite.lowering.registry import fused_activation, lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import NHWC, Layout

__all__ = ["average_pool", "global_average_pool", "max_pool", "reduction"]


@lowers("MaxPool", integer=True)
def max_pool(op: Operation) -> None:
    """Padding never wins: it is as low as can be."""
    _two_dimensional(op)
    place = window(op, op.attribute("kernel_shape", ()))
    if place.dilations != (1, 1):
        raise ConversionError(f"{op.node}: TFLite has no dilated pooling")
    tensor = op.activation(0, NHWC)
    if place.kernel == place.strides == (1, 1):  # IR-50's shortcut: takes every pixel
        op.finish(op.requantize(tensor))
        return
    source = pad_window(op, tensor, place, fill=-np.inf)
    op.finish(op.emit_in_place(Op.MAX_POOL_2D, [source], NHWC, _table(op, place)))


@lowers("AveragePool", integer=True)
def average_pool(op: Operation) -> None:
    """Padding counts or does not; TFLite's own padding does not."""
    _two_dimensional(op)
    place = window(op, op.attribute("kernel_shape", ()))
    counts = bool(op.attribute("count_include_pad", 0))
    if counts and any(place.before + place.after):
        place = Window(place.kernel, place.strides, place.dilations, place.before, place.after, same=False)
    elif place.is_padded:
        raise ConversionError(
            f"{op.node}: this padding, uncounted, has no TFLite form; set count_include_pad"
        )
    tensor = pad_window(op, op.activation(0, NHWC), place)
    op.finish(op.emit_in_place(Op.AVERAGE_POOL_2D, [tensor], NHWC, _table(op, place)))


@lowers("GlobalAveragePool", integer=True)
def global_average_pool(op: Operation) -> None:
    """The mean over height and width."""
    _two_dimensional(op)
    tensor = op.activation(0, NHWC)
    table = options("Reducer", keepDims=True)
    op.finish(op.emit(Op.MEAN, [tensor, op.numbers(1, 2)], op.output(NHWC), table))


def _two_dimensional(op: Operation) -> None:
    if len(op.shape(0)) != 4:
        raise ConversionError(f"{op.node}: only pooling over height and width can be converted")


def _table(op: Operation, place: Window) -> Any:
    return options(
        "Pool2D",
        padding=place.padding,
        strideH=place.strides[0],
        strideW=place.strides[1],
        filterHeight=place.kernel[0],
        filterWidth=place.kernel[1],
        fusedActivationFunction=fused_activation(op),
    )


_BUILTINS = {
    "ReduceMean": Op.MEAN,
    "ReduceSum": Op.SUM,
    "ReduceMax": Op.REDUCE_MAX,
    "ReduceMin": Op.REDUCE_MIN,
    "ReduceL2": Op.SUM,
}


@lowers("ReduceMean", integer=True, parameters=(1,))
@lowers("ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2")
def reduction(op: Operation) -> None:
    """Axes by attribute (ONNX up to 17) or by input; the length (L2) is the root of a sum of squares."""
    tensor = op.activation(0)
    length = op.node.operator == "ReduceL2"
    if length:
        tensor = op.emit(Op.MUL, [tensor, tensor], op.temporary(op.shape(0), tensor.layout), options("Mul"))
    rank = len(tensor.shape)
    given = op.constant(1).reshape(-1).tolist() if op.has(1) else op.attribute("axes", range(rank))
    axes = [int(axis) % rank for axis in given]
    keeps = bool(op.attribute("keepdims", 1))
    layout = tensor.layout if keeps else _without(tensor.layout, axes)
    places = op.numbers(*sorted(tensor.layout.index(axis) for axis in axes))
    table = options("Reducer", keepDims=keeps)
    answer = op.emit(_BUILTINS[op.node.operator], [tensor, places], op.output(layout), table)
    op.finish(op.emit(Op.SQRT, [answer], op.output(layout)) if length else answer)


def _without(layout: Layout, axes: list[int]) -> Layout:
    kept = [axis for axis in layout if axis not in axes]
    renamed = {axis: place for place, axis in enumerate(sorted(kept))}
    return tuple(renamed[axis] for axis in kept)
