"""Versions of kernels that operators need.

A runtime refuses a version that is newer than it knows, so each operator asks for the lowest that does the work. Source:
``tflite/tools/versioning/op_version.cc`` of LiteRT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import Tensor

__all__ = ["version_of"]


def version_of(builtin: int, inputs: Sequence[Tensor], outputs: Sequence[Tensor], options: Any) -> int:
    """The lowest kernel version for these tensors."""
    special = _SPECIAL.get(builtin)
    return special(inputs, outputs, options) if special else _by_type(inputs[0].dtype)


def _by_type(dtype: np.dtype[np.generic], int16: int = 3) -> int:
    """Choose the version as most operators do: float first, int8 second, int16 third."""
    return {np.dtype(np.int8): 2, np.dtype(np.int16): int16}.get(dtype, 1)


def _convolution(inputs: Sequence[Tensor], _: Sequence[Tensor], __: Any) -> int:
    grouped = inputs[0].shape[3] != inputs[1].shape[3]
    return max(6 if grouped else 1, _by_weights(inputs, int8=3, int16=4, hybrid=5))


def _depthwise(inputs: Sequence[Tensor], _: Sequence[Tensor], options: Any) -> int:
    dilated = options.dilationHFactor != 1 or options.dilationWFactor != 1
    return max(2 if dilated else 1, _by_weights(inputs, int8=3, int16=5, hybrid=6))


def _fully_connected(inputs: Sequence[Tensor], _: Sequence[Tensor], options: Any) -> int:
    keeps = 5 if options.keepNumDims else 1
    return max(keeps, _by_weights(inputs, int8=4, int16=7, hybrid=3))


def _by_weights(inputs: Sequence[Tensor], *, int8: int, int16: int, hybrid: int) -> int:
    if inputs[1].dtype != np.int8:
        return 1
    return {np.dtype(np.int8): int8, np.dtype(np.int16): int16}.get(inputs[0].dtype, hybrid)


def _multiply(inputs: Sequence[Tensor], outputs: Sequence[Tensor], _: Any) -> int:
    if inputs[0].dtype == np.int16:
        return 4
    scales = [tensor.quantization.scale[0] for tensor in (*inputs, *outputs) if tensor.quantization]
    # A product whose scale is coarser than its output's needs the multiplier above 1 that version 3 brought.
    if len(scales) == 3 and scales[0] * scales[1] / scales[2] >= 1:
        return 3
    return _by_type(inputs[0].dtype)


def _pad(inputs: Sequence[Tensor], _: Sequence[Tensor], __: Any) -> int:
    return 3 if len(inputs[0].shape) > 4 else _by_type(inputs[0].dtype, int16=4)


def _slice(inputs: Sequence[Tensor], _: Sequence[Tensor], __: Any) -> int:
    return 5 if len(inputs[0].shape) > 4 else _by_type(inputs[0].dtype, int16=4)


def _transpose(inputs: Sequence[Tensor], _: Sequence[Tensor], __: Any) -> int:
    rank = len(inputs[0].shape)
    return 5 if rank > 5 else 4 if rank == 5 else _by_type(inputs[0].dtype, int16=4)


def _quantize(inputs: Sequence[Tensor], outputs: Sequence[Tensor], _: Any) -> int:
    return 2 if np.dtype(np.int16) in (inputs[0].dtype, outputs[0].dtype) else 1


def _dequantize(inputs: Sequence[Tensor], _: Sequence[Tensor], __: Any) -> int:
    quantization = inputs[0].quantization
    if quantization is not None and quantization.scale.size > 1:
        return 5
    return 2 if inputs[0].dtype == np.int8 else 3


def _second(_: Sequence[Tensor], __: Sequence[Tensor], ___: Any) -> int:
    return 2


def _first(_: Sequence[Tensor], __: Sequence[Tensor], ___: Any) -> int:
    return 1


_SPECIAL: dict[int, Callable[[Sequence[Tensor], Sequence[Tensor], Any], int]] = {
    Op.CONV_2D: _convolution,
    Op.DEPTHWISE_CONV_2D: _depthwise,
    Op.FULLY_CONNECTED: _fully_connected,
    Op.MUL: _multiply,
    Op.PAD: _pad,
    Op.PADV2: _pad,
    Op.SLICE: _slice,
    Op.STRIDED_SLICE: _slice,
    Op.TRANSPOSE: _transpose,
    Op.QUANTIZE: _quantize,
    Op.DEQUANTIZE: _dequantize,
    Op.RESHAPE: _first,
    Op.HARD_SWISH: _first,
    Op.PRELU: _first,
    Op.BROADCAST_TO: _second,  # runtimes register no other
}
