"""Integers that stand for real numbers: ``real = scale * (integer - zero_point)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PRECISIONS",
    "Quantization",
    "TflitePrecision",
    "dequantize",
    "integers",
    "kernel_quantization",
    "per_channel",
    "shift_zero_point",
    "sixteen_bit",
]


@dataclass(frozen=True)
class Quantization:
    """Scale and zero point of one tensor.

    Attributes:
        dtype: dtype of the integers.
        scale: float32, one value, or one per channel.
        zero_point: int64, as many as ``scale``.
        axis: the channels' axis, in memory; 0 where there is one scale.
        dictated: fixed by the kernel that writes the tensor, not chosen by calibration.
    """

    dtype: np.dtype[np.generic]
    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int = 0
    dictated: bool = False

    def same_as(self, other: Quantization | None) -> bool:
        """Tell whether the same integers stand for the same numbers."""
        return (
            other is not None
            and self.dtype == other.dtype
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
        )

    def along(self, axis: int) -> Quantization:
        """The same with its channels on another axis."""
        return Quantization(self.dtype, self.scale, self.zero_point, axis if self.scale.size > 1 else 0)


def kernel_quantization(dtype: np.dtype[np.generic]) -> Quantization:
    """For values of 0..1, as LOGISTIC and SOFTMAX insist on: steps of 1/256, or 1/32768 in 16 bits."""
    eight = dtype == np.int8
    scale = np.array([1 / 256 if eight else 1 / 32768], np.float32)
    return Quantization(dtype, scale, np.array([-128 if eight else 0], np.int64), dictated=True)


def shift_zero_point(quantization: Quantization) -> Quantization:
    """Unsigned 8 bits become signed: integers and zero points drop by 128, the numbers stay. TFLite's kernels are signed."""
    if quantization.dtype != np.uint8:
        return quantization
    return Quantization(
        np.dtype(np.int8), quantization.scale, quantization.zero_point - 128, quantization.axis
    )


def sixteen_bit(quantization: Quantization) -> Quantization:
    """Symmetric 16-bit integers for the range that an activation's integers can stand for; such ones stay as they are."""
    if quantization.dtype == np.int16 and not quantization.zero_point.any():
        return quantization
    info = np.iinfo(quantization.dtype)  # type: ignore[type-var]  # an integer type
    ends = quantization.scale.astype(np.float64) * (
        np.array([info.min, info.max]) - float(quantization.zero_point[0])
    )
    scale = np.array([max(float(np.abs(ends).max()) / 32767, np.finfo(np.float32).tiny)], np.float32)
    return Quantization(np.dtype(np.int16), scale, np.zeros(1, np.int64))


def per_channel(weights: NDArray[np.float32], axis: int) -> Quantization:
    """Symmetric 8-bit integers with one scale per channel, zero point 0, as TFLite wants weights."""
    others = tuple(a for a in range(weights.ndim) if a != axis)
    largest = np.abs(weights).max(axis=others)
    scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
    return Quantization(np.dtype(np.int8), scale, np.zeros(scale.size, np.int64), axis)


def integers(values: NDArray[np.float32], quantization: Quantization) -> NDArray[np.generic]:
    """Numbers as integers, rounded to even and clipped to the type."""
    info = np.iinfo(quantization.dtype)  # type: ignore[type-var]  # an integer type
    scale, zero_point = _aligned(quantization, values.ndim)
    rounded = np.rint(values.astype(np.float64) / scale) + zero_point
    answer: NDArray[np.generic] = np.clip(rounded, info.min, info.max).astype(quantization.dtype)
    return answer


def dequantize(values: NDArray[np.generic], quantization: Quantization) -> NDArray[np.float32]:
    """Integers as numbers."""
    scale, zero_point = _aligned(quantization, values.ndim)
    return ((values.astype(np.float64) - zero_point) * scale).astype(np.float32)


def _aligned(quantization: Quantization, rank: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and zero point, shaped so that they meet their axis."""
    shape = [1] * rank
    if quantization.scale.size > 1:
        shape[quantization.axis] = -1
    return (
        quantization.scale.astype(np.float64).reshape(shape),
        quantization.zero_point.astype(np.float64).reshape(shape),
    )


@dataclass(frozen=True)
class TflitePrecision:
    """One way to write a network.

    Attributes:
        quantized: starts from a Q/DQ graph; its integers are kept.
        weights: weights of float kernels: ``"float32"``; ``"float16"`` or ``"int8"``, which the runtime widens when it loads the file.
        hybrid: float activations meet int8 weights in the kernel itself (dynamic range), where such a kernel exists.
        sixteen_bit: activations are int16 instead of int8.
    """

    quantized: bool = False
    weights: str = "float32"
    hybrid: bool = False
    sixteen_bit: bool = False


PRECISIONS = {
    "fp32": TflitePrecision(),
    "fp16": TflitePrecision(weights="float16"),
    "weight8": TflitePrecision(weights="int8"),
    "dynamic": TflitePrecision(weights="int8", hybrid=True),
    "int8": TflitePrecision(quantized=True),
    "w8a16": TflitePrecision(quantized=True, sixteen_bit=True),
}
