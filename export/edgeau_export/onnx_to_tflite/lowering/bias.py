"""The bias of a convolution or a fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeau_export.onnx_to_tflite.quantization import Quantization

if TYPE_CHECKING:
    from edgeau_export.onnx_to_tflite.model import Tensor
    from edgeau_export.onnx_to_tflite.operation import Operation

__all__ = ["bias_of"]


def bias_of(
    op: Operation, number: int, tensor: Tensor, filters: Tensor, factor: float = 1.0, axis: int = 1
) -> Tensor:
    """The bias as its kernel wants it: float32, or integers in steps of input scale x weight scale.

    Args:
        op: whose input ``number`` it is; zeros where it is left out.
        number: of the input.
        tensor: that the kernel reads.
        filters: its weights.
        factor: that the bias is multiplied with.
        axis: of the answer's channels, in ONNX's order.
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
