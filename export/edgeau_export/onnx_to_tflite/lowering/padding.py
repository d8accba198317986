"""Padding: TFLite's kernels know none (VALID) or their own kind (SAME); anything else is a PAD in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import Tensor

__all__ = ["VALID", "Window", "pad", "pad_window", "window"]

# TFLite's code for no padding.
VALID: int = tables.Padding.VALID


@dataclass(frozen=True)
class Window:
    """Window of a convolution or pooling: (height, width) each, and what is added before and after each axis."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    same: bool

    @property
    def padding(self) -> int:
        """TFLite's code, once what SAME does not cover is in the tensor."""
        same: int = tables.Padding.SAME
        return same if self.same else VALID

    @property
    def is_padded(self) -> bool:
        """True where a PAD is needed."""
        return not self.same and any(self.before + self.after)


def window(op: Operation, kernel: Sequence[int]) -> Window:
    """The window of a node with ONNX's attributes.

    Only the padding that some window reaches counts: the exporter's may be larger, and with ``ceil_mode`` smaller.
    """
    size, out = op.shape(0)[2:], op.output_shape[2:]
    strides = _pair(op.attribute("strides", (1, 1)))
    dilations = _pair(op.attribute("dilations", (1, 1)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    missing = [max((n - 1) * s + r - m, 0) for n, s, r, m in zip(out, strides, reach, size, strict=True)]
    before = _before(op, missing)
    after = [max(m - b, 0) for m, b in zip(missing, before, strict=True)]
    # TFLite's SAME: as many outputs as strides fit, the smaller half of the padding first.
    same = all(n == -(-m // s) for n, m, s in zip(out, size, strides, strict=True)) and before == [
        m // 2 for m in missing
    ]
    return Window(_pair(kernel), strides, dilations, _pair(before), _pair(after), same and any(missing))


def pad_window(op: Operation, tensor: Tensor, place: Window, fill: float | None = None) -> Tensor:
    """The tensor with what SAME does not cover around it: zeros, or ``fill``."""
    if not place.is_padded:
        return tensor
    amounts = ((0, 0), *zip(place.before, place.after, strict=True), (0, 0))
    return pad(op, tensor, amounts, fill)


def pad(
    op: Operation, tensor: Tensor, amounts: Sequence[tuple[int, int]], fill: float | None = None
) -> Tensor:
    """A tensor with something around it.

    Args:
        op: that needs it.
        tensor: to be padded.
        amounts: before and after, per axis of memory.
        fill: a number, or None for zero.
    """
    shape = tuple(n + before + after for n, (before, after) in zip(tensor.shape, amounts, strict=True))
    model = op.values.model
    result = model.tensor(f"{tensor.name}/padded", shape, tensor.layout, tensor.quantization)
    table = model.constant("paddings", np.array(amounts, np.int32))
    if fill is None:
        return op.emit(Op.PAD, [tensor, table], result, tables.PadOptionsT())
    return op.emit(Op.PADV2, [tensor, table, _filling(op, tensor, fill)], result, tables.PadV2OptionsT())


def _filling(op: Operation, tensor: Tensor, fill: float) -> Tensor:
    if tensor.quantization is None:
        low = float(np.finfo(np.float32).min)
        return op.values.model.constant("fill", np.array([max(fill, low)], np.float32))
    info = np.iinfo(tensor.dtype)  # type: ignore[type-var]  # an integer type
    quantization = tensor.quantization
    number = np.rint(max(fill, -1e30) / quantization.scale) + quantization.zero_point
    data = np.clip(number, info.min, info.max).astype(tensor.dtype)
    return op.values.model.constant("fill", data, None, quantization)


def _before(op: Operation, missing: Sequence[int]) -> list[int]:
    automatic = op.attribute("auto_pad", b"NOTSET")
    if automatic in (b"SAME_UPPER", "SAME_UPPER"):
        return [m // 2 for m in missing]
    if automatic in (b"SAME_LOWER", "SAME_LOWER"):
        return [-(-m // 2) for m in missing]
    return list(op.attribute("pads", (0, 0, 0, 0))[:2])


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return int(first), int(second)
