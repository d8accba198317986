"""Conv: TFLite's CONV_2D, or DEPTHWISE_CONV_2D where every channel has its own filter."""

from __future__ import annotations

import numpy as np

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.padding import Window, pad_window, window
from edgeau_export.onnx_to_tflite.lowering.registry import fused_activation, lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.quantization import Quantization
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import NHWC, Tensor

__all__ = ["bias_of", "convolution"]


@lowers("Conv", integer=True, parameters=(2,))
def convolution(op: Operation) -> None:
    """Conv over pictures; 1-D and 3-D ones have no TFLite kernel here."""
    shape = op.shape(1)
    if len(shape) != 4:
        raise ConversionError(f"{op.node}: only convolutions over height and width can be converted")
    place = window(op, shape[2:])
    tensor = pad_window(op, op.activation(0, NHWC), place)
    groups = op.attribute("group", 1)
    if groups > 1 and shape[1] == 1 and groups == op.shape(0)[1]:
        op.finish(_depthwise(op, tensor, place, shape[0] // groups))
    else:
        op.finish(_dense(op, tensor, place))


def _dense(op: Operation, tensor: Tensor, place: Window) -> Tensor:
    filters = _filters(op, (0, 2, 3, 1), 0)
    table = options("Conv2D", **_common(op, place))
    inputs = [tensor, filters, bias_of(op, 2, tensor, filters)]
    return op.emit(Op.CONV_2D, inputs, op.output(NHWC), table)


def _depthwise(op: Operation, tensor: Tensor, place: Window, multiplier: int) -> Tensor:
    filters = _filters(op, (1, 2, 3, 0), 3)
    table = options("DepthwiseConv2D", depthMultiplier=multiplier, **_common(op, place))
    inputs = [tensor, filters, bias_of(op, 2, tensor, filters)]
    return op.emit(Op.DEPTHWISE_CONV_2D, inputs, op.output(NHWC), table)


def _filters(op: Operation, order: tuple[int, int, int, int], channels: int) -> Tensor:
    """The weights in TFLite's axis order, and their output channels' axis there."""
    name = op.node.inputs[1]
    stored = op.stored_constant(1)
    if op.integer and stored is not None:
        array, quantization = stored
        return op.values.model.constant(name, array.transpose(order), None, quantization.along(channels))
    array = op.constant(1).astype(np.float32).transpose(order)
    # XNNPACK has no depthwise kernel for float activations and int8 weights: those would run slow, and widen well.
    return op.weights(array, name, channels, hybrid=channels == 0)


def _common(op: Operation, place: Window) -> dict[str, int]:
    return {
        "padding": place.padding,
        "strideH": place.strides[0],
        "strideW": place.strides[1],
        "dilationHFactor": place.dilations[0],
        "dilationWFactor": place.dilations[1],
        "fusedActivationFunction": fused_activation(op),
    }


def bias_of(
    op: Operation, number: int, tensor: Tensor, filters: Tensor, factor: float = 1.0, axis: int = 1
) -> Tensor:
    """The bias as its kernel wants it: float32, or integers in steps of input scale x weight scale.

    Args:
        op: whose input ``number`` it is; zeros where it is left out.
        number: number of the input.
        tensor: that the kernel reads.
        filters: its weights.
        factor: that the bias is multiplied with.
        axis: axis of the answer's channels, in ONNX's order.
    """
    name = op.node.inputs[number] if op.has(number) else f"{op.node.outputs[0]}/bias"
    channels = op.output_shape[axis]
    numbers = op.constant(number).reshape(-1) * factor if op.has(number) else np.zeros(channels)
    numbers = np.broadcast_to(numbers, (channels,))
    if tensor.quantization is None:
        return op.values.model.constant(name, numbers.astype(np.float32))
    assert filters.quantization is not None, "integers meet float weights"
    # In float32, as runtimes compute it: they compare it with the product of the two scales.
    scale = (tensor.quantization.scale * filters.quantization.scale).astype(np.float32)
    kind = np.dtype(np.int64 if tensor.dtype == np.int16 else np.int32)
    data = np.rint(numbers.astype(np.float64) / scale).astype(kind)
    quantization = Quantization(kind, scale, np.zeros(scale.size, np.int64))
    return op.values.model.constant(name, data, None, quantization)
