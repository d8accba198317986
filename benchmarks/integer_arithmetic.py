"""The arithmetic of TensorFlow Lite's 8-bit operators, written out in NumPy: of its reference kernels, and of XNNPACK's.

Activations are int8 with one scale and one zero point a tensor, weights int8 with one scale a channel, sums and biases int32. A sum is brought to its
output's scale by an integer multiplier of 31 bits and a shift, and is rounded twice on the way (:func:`rescaled`). XNNPACK, LiteRT's usual kernels,
brings it there by one product in single precision, or by integers of fewer bits, and rounds once (:func:`as_usual`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RULES",
    "Answer",
    "Operation",
    "Quantity",
    "as_usual",
    "factor_of",
    "multiplier_and_shift",
    "rescaled",
]

Integers = NDArray[np.int64]
_ADD_BITS = 20  # to which both terms of a sum are raised before they are rounded
_SAME = 0  # of the schema's paddings
# Of XNNPACK: bits of the larger factor of a sum, and bits after the point of a factor from integers to integers.
_USUAL_ADD_BITS = 20
_USUAL_QUANTIZE_BITS = 8


@dataclass(frozen=True)
class Quantity:
    """A tensor: its integers, of one scale, or of one a channel where ``scale`` has so many numbers.

    Attributes:
        values: int8, or int32 of a bias.
        scale: float32 ``(1,)`` or ``(channels,)``.
        zero: the integer of the number 0.
    """

    values: NDArray[Any]
    scale: NDArray[np.float32]
    zero: int

    @property
    def centred(self) -> Integers:
        return self.values.astype(np.int64) - self.zero


@dataclass(frozen=True)
class Operation:
    """An operator, its inputs, and what it answers in.

    Attributes:
        kind: the schema's name, such as ``"CONV_2D"``.
        options: of the schema; None where it has none.
        inputs: in the order of the file, constants among them; None where one is left out.
        scale: of the output, float32.
        zero: of the output.
        shape: of the output.
    """

    kind: str
    options: Any
    inputs: tuple[Quantity | None, ...]
    scale: np.float32
    zero: int
    shape: tuple[int, ...]

    def given(self, place: int) -> Quantity:
        """An input that this kind of operator always has."""
        found = self.inputs[place]
        assert found is not None, f"{self.kind} has no input {place}"
        return found


@dataclass(frozen=True)
class Answer:
    """The answer of an operator.

    Attributes:
        values: int8.
        sums: what was rescaled to them once, before the output's zero point was added; None where nothing was.
        factor: that it was rescaled by, exact: float64 ``(1,)`` or ``(channels,)``.
    """

    values: NDArray[np.int8]
    sums: Integers | None = None
    factor: NDArray[np.float64] | None = None


def multiplier_and_shift(factor: NDArray[np.float64]) -> tuple[Integers, Integers]:
    """Integer multipliers in 2^30..2^31-1, and shifts, so that ``multiplier * 2 ** (shift - 31)`` is nearest to a factor above 0."""
    fraction, shift = np.frexp(np.asarray(factor, np.float64))
    multiplier = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    over = multiplier == 1 << 31
    return np.where(over, multiplier // 2, multiplier), (shift + over).astype(np.int64)


def rescaled(sums: Integers, multiplier: Integers, shift: Integers) -> Integers:
    """Sums times ``multiplier * 2 ** (shift - 31)``, rounded twice: after the upper 32 bits are taken, and after they are shifted.

    The first rounding takes halves up, the second away from 0.
    """
    product = sums * (np.int64(1) << np.maximum(shift, 0)) * multiplier
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    upper = np.where(nudged >= 0, nudged >> 31, -(-nudged >> 31))  # C divides towards 0
    right = np.maximum(-shift, 0)
    mask = (np.int64(1) << right) - 1
    return (upper >> right) + ((upper & mask) > (mask >> 1) + (upper < 0))


def factor_of(
    given: NDArray[np.float32], weights: NDArray[np.float32], output: np.float32
) -> NDArray[np.float64]:
    """By which the sums of a convolution are rescaled, from the scales: float32 each, multiplied in double precision."""
    return given.astype(np.float64) * weights.astype(np.float64) / np.float64(output)


def _bounded(operation: Operation, values: Integers, activation: int = 0) -> NDArray[np.int8]:
    """Integers about the output's zero point, within the fused activation and 8 bits."""
    low, high = -128, 127
    if activation in (1, 3):  # RELU, RELU6
        low = max(low, operation.zero)
    if activation == 3:
        high = min(high, operation.zero + int(np.floor(6 / operation.scale + 0.5)))
    return np.clip(values + operation.zero, low, high).astype(np.int8)


def _windows(given: Integers, kernel: tuple[int, int], options: Any) -> Integers:
    """Windows ``(n, out_height, out_width, kernel_height, kernel_width, channels)``; what is outside the picture is 0."""
    strides = (options.strideH, options.strideW)
    dilations = (getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1))
    wide = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    if options.padding == _SAME:
        margins = []
        for size, stride, width in zip(given.shape[1:3], strides, wide, strict=True):
            missing = max((-(-size // stride) - 1) * stride + width - size, 0)
            margins.append((missing // 2, missing - missing // 2))
        given = np.pad(given, ((0, 0), *margins, (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(given, wide, axis=(1, 2))
    seen = seen[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]
    return np.moveaxis(seen, 3, 5)


def _rescaled(operation: Operation, sums: Integers, factor: NDArray[np.float64]) -> Answer:
    activation = getattr(operation.options, "fusedActivationFunction", 0)
    values = rescaled(sums, *multiplier_and_shift(factor))
    return Answer(_bounded(operation, values, activation), sums, factor)


def _convolved(operation: Operation, sums: Integers) -> Answer:
    factor = factor_of(operation.given(0).scale, operation.given(1).scale, operation.scale)
    return _rescaled(operation, sums + _biases(operation), factor)


def _biases(operation: Operation) -> Integers | int:
    bias = operation.inputs[2] if len(operation.inputs) > 2 else None
    return 0 if bias is None else bias.values.astype(np.int64)


def _convolution(operation: Operation) -> Answer:
    given, weights = operation.given(0).centred, operation.given(1).values
    count, height, width, channels = weights.shape
    seen = _windows(given, (height, width), operation.options)
    places, flat = seen.shape[:3], height * width * channels
    # Products of integers below 2^53: exact in double precision, where matrix products are fast.
    product = seen.reshape(-1, flat).astype(np.float64) @ weights.reshape(count, flat).T.astype(np.float64)
    return _convolved(operation, product.astype(np.int64).reshape(*places, count))


def _depthwise(operation: Operation) -> Answer:
    given, weights = operation.given(0).centred, operation.given(1).values[0].astype(np.int64)
    assert operation.options.depthMultiplier == 1, "each channel has one output"
    seen = _windows(given, weights.shape[:2], operation.options)
    return _convolved(operation, np.einsum("nhwklc,klc->nhwc", seen, weights))


def _product(operation: Operation) -> Answer:
    one, other = operation.given(0), operation.given(1)
    # Here the kernel multiplies its scales in single precision.
    factor = (one.scale * other.scale / operation.scale).astype(np.float64)
    return _rescaled(operation, one.centred * other.centred, factor)


def _sum(operation: Operation) -> Answer:
    terms = [operation.given(0), operation.given(1)]
    largest = 2 * np.float64(max(term.scale[0] for term in terms))
    raised = [
        rescaled(term.centred << _ADD_BITS, *multiplier_and_shift(np.float64(term.scale[0]) / largest))
        for term in terms
    ]
    factor = largest / (2.0**_ADD_BITS * np.float64(operation.scale))
    values = rescaled(raised[0] + raised[1], *multiplier_and_shift(factor))
    return Answer(_bounded(operation, values, operation.options.fusedActivationFunction))


def _mean(operation: Operation) -> Answer:
    given = operation.given(0)
    axes = tuple(int(axis) for axis in operation.given(1).values.ravel())
    count = int(np.prod([given.values.shape[axis] for axis in axes]))
    multiplier, shift = multiplier_and_shift(np.float64(given.scale[0]) / np.float64(operation.scale))
    # The division by the count is in the multiplier, which loses no bit of it to a second rounding.
    more = min(count.bit_length() - 1, 32, 31 + int(shift))
    multiplier, shift = (multiplier << more) // count, shift - more
    sums = given.centred.sum(axes).reshape(operation.shape)
    exact = np.array([float(multiplier) * 2.0 ** float(shift - 31)])
    return Answer(_bounded(operation, rescaled(sums, multiplier, shift)), sums, exact)


def _average(operation: Operation) -> Answer:
    options, given = operation.options, operation.given(0)
    kernel = (options.filterHeight, options.filterWidth)
    # Outside the picture there is nothing to average, so that windows at its edge have fewer places.
    sums = _windows(given.values.astype(np.int64), kernel, options).sum((3, 4))
    count = _windows(np.ones((1, *given.values.shape[1:3], 1), np.int64), kernel, options).sum((3, 4))
    means = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
    return Answer(_bounded(operation, means - operation.zero, options.fusedActivationFunction))


def _logistic(operation: Operation) -> Answer:
    """A table of 256 entries, computed in floating point."""
    given = operation.given(0)
    inputs = given.scale[0] * (np.arange(-128, 128) - given.zero).astype(np.float64)
    answers = 1 / (1 + np.exp(-inputs)) / operation.scale
    entries = _bounded(operation, np.floor(answers + 0.5).astype(np.int64))
    return Answer(entries[given.values.astype(np.int64) + 128])


def _requantized(operation: Operation) -> Answer:
    given = operation.given(0)
    return _rescaled(operation, given.centred, given.scale.astype(np.float64) / np.float64(operation.scale))


def _padded(operation: Operation) -> Answer:
    values, margins = operation.given(0).values, operation.given(1).values
    return Answer(np.pad(values, margins, constant_values=operation.zero))


def _piece(operation: Operation) -> Answer:
    start, size = (operation.given(place).values.ravel() for place in (1, 2))
    whole = operation.given(0).values
    ends = [None if count < 0 else first + count for first, count in zip(start, size, strict=True)]
    return Answer(whole[tuple(slice(*pair) for pair in zip(start, ends, strict=True))])


def _joined(operation: Operation) -> Answer:
    parts = [operation.given(place) for place in range(len(operation.inputs))]
    assert all(part.scale[0] == operation.scale and part.zero == operation.zero for part in parts)
    return Answer(np.concatenate([part.values for part in parts], operation.options.axis))


def _reshaped(operation: Operation) -> Answer:
    return Answer(operation.given(0).values.reshape(operation.shape))


RULES: dict[str, Callable[[Operation], Answer]] = {
    "ADD": _sum,
    "AVERAGE_POOL_2D": _average,
    "CONCATENATION": _joined,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "LOGISTIC": _logistic,
    "MEAN": _mean,
    "MUL": _product,
    "PAD": _padded,
    "QUANTIZE": _requantized,
    "RESHAPE": _reshaped,
    "SLICE": _piece,
}
"""Kind of operator -> its answer."""


def as_usual(operation: Operation, answer: Answer) -> NDArray[np.int8]:
    """XNNPACK's answer where the reference kernels give ``answer``.

    Args:
        operation: with its inputs.
        answer: of its rule, with the sums.
    """
    activation = getattr(operation.options, "fusedActivationFunction", 0)
    if operation.kind == "ADD":
        return _bounded(operation, _usual_sum(operation), activation)
    if answer.sums is None or answer.factor is None:
        return answer.values
    if operation.kind == "QUANTIZE":
        multiplier = np.rint(2.0**_USUAL_QUANTIZE_BITS * answer.factor).astype(np.int64)
        half = 1 << (_USUAL_QUANTIZE_BITS - 1)
        return _bounded(operation, (answer.sums * multiplier + half) >> _USUAL_QUANTIZE_BITS)
    factor = answer.factor.astype(np.float32)
    if "CONV" in operation.kind:
        # Each product of scales is rounded to single precision.
        factor = operation.given(0).scale * operation.given(1).scale / operation.scale
    once = np.rint(answer.sums.astype(np.float32) * factor).astype(np.int64)  # halves to even
    return _bounded(operation, once, activation)


def _usual_sum(operation: Operation) -> Integers:
    terms = [operation.given(0), operation.given(1)]
    factors = [term.scale[0] / operation.scale for term in terms]
    shift = _USUAL_ADD_BITS - (int(np.frexp(max(factors))[1]) - 1)
    raised = [np.int64(np.rint(np.ldexp(np.float64(factor), shift))) for factor in factors]
    total = sum(
        (term.centred * factor for term, factor in zip(terms, raised, strict=True)),
        np.int64(1) << (shift - 1),
    )
    return np.asarray(total, np.int64) >> shift
