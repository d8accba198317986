"""The tensors that stand for ONNX's values, and the ways to get one in another form: float, requantized, transposed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.model import FlatModel
from edgeau_export.onnx_to_tflite.quantization import (
    Quantization,
    TflitePrecision,
    dequantize,
    integers,
    per_channel,
)
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import Layout, Tensor, transposition

__all__ = ["WORTH_PACKING", "Values"]

# Smaller constants than this many elements (biases, slopes) stay float32: there is nothing to gain.
WORTH_PACKING = 256


class Values:
    """By name in the ONNX graph. A tensor may have several names whose axes mean different things; the memory is one.

    Args:
        model: that grows by what conversions need.
        constants: float and whole numbers, in ONNX's axis order.
    """

    def __init__(self, model: FlatModel, constants: dict[str, NDArray[np.generic]]) -> None:
        self.model = model
        self.constants = constants
        self.quantized_constants: dict[str, tuple[NDArray[np.generic], Quantization]] = {}
        self.tensors: dict[str, Tensor] = {}
        self._converted: dict[tuple[object, ...], Tensor] = {}

    def is_constant(self, name: str) -> bool:
        """Tell whether a value is known now."""
        return name in self.constants or name in self.quantized_constants

    def array(self, name: str) -> NDArray[np.generic]:
        """A constant's numbers, in ONNX's axis order."""
        if name in self.quantized_constants:
            return dequantize(*self.quantized_constants[name])
        return self.constants[name]

    def as_float(self, tensor: Tensor) -> Tensor:
        """The numbers that a tensor's integers stand for."""
        if tensor.quantization is None:
            return tensor
        if tensor.data is not None:
            data = dequantize(tensor.data, tensor.quantization)
            return self.model.constant(tensor.name, data, tensor.layout)
        key = ("float", tensor.index, tensor.layout)
        if key not in self._converted:
            result = self.model.tensor(f"{tensor.name}/float", tensor.shape, tensor.layout)
            self.model.operator(Op.DEQUANTIZE, [tensor], [result])
            self._converted[key] = result
        return self._converted[key]

    def as_integers(self, tensor: Tensor, quantization: Quantization) -> Tensor:
        """A tensor's numbers in given integers, rounded where they were finer."""
        if quantization.same_as(tensor.quantization):
            return tensor
        if tensor.data is not None:
            data = self.as_float(tensor).data
            assert data is not None
            return self.model.constant(
                tensor.name, integers(data.astype(np.float32), quantization), tensor.layout, quantization
            )
        parameters = (quantization.dtype, *quantization.scale, *quantization.zero_point)
        key = ("integers", tensor.index, tensor.layout, *parameters)
        if key not in self._converted:
            result = self.model.tensor(f"{tensor.name}/quantized", tensor.shape, tensor.layout, quantization)
            self.model.operator(Op.QUANTIZE, [tensor], [result])
            self._converted[key] = result
        return self._converted[key]

    def in_layout(self, tensor: Tensor, layout: Layout) -> Tensor:
        """A tensor with its axes in another order."""
        permutation = transposition(tensor.layout, layout)
        if permutation is None:
            return tensor
        if tensor.data is not None:
            return self.model.constant(
                tensor.name, tensor.data.transpose(permutation), layout, tensor.quantization
            )
        key = ("layout", tensor.index, tensor.layout, layout)
        if key not in self._converted:
            self._converted[key] = self._moved(tensor, layout, permutation)
        return self._converted[key]

    def _moved(self, tensor: Tensor, layout: Layout, permutation: tuple[int, ...]) -> Tensor:
        shape = tuple(tensor.shape[axis] for axis in permutation)
        wide = [axis for axis in permutation if tensor.shape[axis] != 1]
        name = f"{tensor.name}/transposed"
        result = self.model.tensor(name, shape, layout, tensor.quantization, tensor.dtype)
        if wide == sorted(wide):  # only axes of length 1 change place: the memory stays as it is
            self.model.operator(Op.RESHAPE, [tensor, self.whole_numbers(shape)], [result])
        else:
            order = self.whole_numbers(permutation)
            self.model.operator(Op.TRANSPOSE, [tensor, order], [result], tables.TransposeOptionsT())
        return result

    def whole_numbers(self, values: tuple[int, ...]) -> Tensor:
        """A constant of int32."""
        return self.model.constant("whole_numbers", np.array(values, np.int32))

    def constant(self, name: str, rank: int, layout: Layout, *, integer: bool) -> Tensor:
        """A constant as a tensor that broadcasts with others of ``rank`` axes in ``layout``."""
        quantized = self.quantized_constants.get(name)
        if quantized is not None and integer:
            array, quantization = quantized
        else:
            array, quantization = self.array(name), None
        expanded = array.reshape((1,) * (rank - array.ndim) + array.shape)
        data = expanded.transpose(layout)
        return self.model.constant(name, data, layout, quantization)

    def weights(
        self, array: NDArray[np.float32], name: str, axis: int, precision: TflitePrecision, *, hybrid: bool
    ) -> Tensor:
        """Weights of a float kernel in memory's axis order, stored as the precision of the file says."""
        if precision.weights == "float32" or array.size < WORTH_PACKING:
            return self.model.constant(name, array)
        if precision.weights == "float16":
            packed = self.model.constant(name, array.astype(np.float16))
        else:
            quantization = per_channel(array, axis)
            packed = self.model.constant(name, integers(array, quantization), None, quantization)
            if precision.hybrid and hybrid:
                return packed
        result = self.model.tensor(f"{name}/float", packed.shape, packed.layout)
        self.model.operator(Op.DEQUANTIZE, [packed], [result])
        return result
