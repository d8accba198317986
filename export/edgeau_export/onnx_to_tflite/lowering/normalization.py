"""Batch normalization that no convolution took up, and normalization over neighbouring channels."""

from __future__ import annotations

import numpy as np

from edgeau_export.onnx_to_tflite.lowering.padding import VALID
from edgeau_export.onnx_to_tflite.lowering.registry import fused_activation, lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import NHWC, plain

__all__ = ["batch_normalization", "layer_normalization", "local_response_normalization"]


@lowers("BatchNormalization")
def batch_normalization(op: Operation) -> None:
    """``x * factor + offset`` per channel: on pictures one pass of a 1 x 1 depthwise convolution, else two operators."""
    weight, bias, mean, variance = (op.constant(number).astype(np.float64) for number in (1, 2, 3, 4))
    factor = weight / np.sqrt(variance + op.attribute("epsilon", 1e-5))
    offset = (bias - mean * factor).astype(np.float32)
    constant, name = op.values.model.constant, op.node.inputs[1]
    if len(op.output_shape) == 4:
        filters = constant(name, factor.astype(np.float32).reshape(1, 1, 1, -1))
        table = options(
            "DepthwiseConv2D",
            depthMultiplier=1,
            strideH=1,
            strideW=1,
            padding=VALID,
            fusedActivationFunction=fused_activation(op),
        )
        inputs = [op.activation(0, NHWC), filters, constant(op.node.inputs[2], offset)]
        op.finish(op.emit(Op.DEPTHWISE_CONV_2D, inputs, op.output(NHWC), table))
        return
    tensor = op.activation(0)
    shape = [1] * len(tensor.shape)
    shape[tensor.layout.index(1)] = -1
    scaled = op.emit(
        Op.MUL,
        [tensor, constant(name, factor.astype(np.float32).reshape(shape))],
        op.output(tensor.layout),
        options("Mul"),
    )
    table = options("Add", fusedActivationFunction=fused_activation(op))
    inputs = [scaled, constant(op.node.inputs[2], offset.reshape(shape))]
    op.finish(op.emit(Op.ADD, inputs, op.output(tensor.layout), table))


@lowers("LRN")
def local_response_normalization(op: Operation) -> None:
    """ONNX divides alpha by the window's size, TFLite does not."""
    size = op.attribute("size", 1)
    table = options(
        "LocalResponseNormalization",
        radius=size // 2,
        bias=op.attribute("bias", 1.0),
        alpha=op.attribute("alpha", 1e-4) / size,
        beta=op.attribute("beta", 0.75),
    )
    tensor = op.activation(0, NHWC)
    op.finish(op.emit(Op.LOCAL_RESPONSE_NORMALIZATION, [tensor], op.output(NHWC), table))


@lowers("LayerNormalization")
def layer_normalization(op: Operation) -> None:
    """``(x - mean) / sqrt(variance + epsilon) * weight + bias`` over the last axes; TFLite has no operator for it."""
    rank = len(op.output_shape)
    tensor, constant, layout = op.activation(0, plain(rank)), op.values.model.constant, plain(rank)
    first = op.attribute("axis", -1) % rank
    axes = op.numbers(*range(first, rank))
    reduced = tuple(n if axis < first else 1 for axis, n in enumerate(op.output_shape))
    keeps = options("Reducer", keepDims=True)
    mean = op.emit(Op.MEAN, [tensor, axes], op.temporary(reduced, layout), keeps)
    centred = op.emit(Op.SUB, [tensor, mean], op.output(layout), options("Sub"))
    squared = op.emit(Op.MUL, [centred, centred], op.output(layout), options("Mul"))
    variance = op.emit(Op.MEAN, [squared, axes], op.temporary(reduced, layout), keeps)
    epsilon = constant("epsilon", np.array(op.attribute("epsilon", 1e-5), np.float32))
    raised = op.emit(Op.ADD, [variance, epsilon], op.temporary(reduced, layout), options("Add"))
    factor = op.emit(Op.RSQRT, [raised], op.temporary(reduced, layout))
    answer = op.emit(Op.MUL, [centred, factor], op.output(layout), options("Mul"))
    answer = op.emit(Op.MUL, [answer, op.activation(1)], op.output(layout), options("Mul"))
    if op.has(2):
        answer = op.emit(Op.ADD, [answer, op.activation(2)], op.output(layout), options("Add"))
    op.finish(answer)
