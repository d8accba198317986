"""Gemm and MatMul: FULLY_CONNECTED; with one scale per channel a 1 x 1 CONV_2D, whose integer kernels every runtime has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeau_export.litert.errors import ConversionError
from edgeau_export.litert.layout import NHWC, plain
from edgeau_export.litert.lowering.bias import bias_of
from edgeau_export.litert.lowering.options import fused_activation, options
from edgeau_export.litert.lowering.registry import lowers
from edgeau_export.litert.quantization import Quantization
from edgeau_export.litert.schema import BuiltinOperator as Op

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeau_export.litert.model import Tensor
    from edgeau_export.litert.operation import Operation

__all__ = ["gemm", "matmul"]


@lowers("Gemm", integer=True, parameters=(2,), weights=(1,))
def gemm(op: Operation) -> None:
    """``alpha * A B + beta * C`` with constant ``B`` and ``C``."""
    if op.attribute("transA", 0):
        raise ConversionError(f"{op.node}: a transposed input has no TFLite form here")
    alpha, beta = op.attribute("alpha", 1.0), op.attribute("beta", 1.0)
    tensor = op.activation(0, plain(2))
    filters = _matrix(op, transposed=bool(op.attribute("transB", 0)), factor=alpha)
    op.finish(_connected(op, tensor, filters, beta))


@lowers("MatMul", integer=True, weights=(1,))
def matmul(op: Operation) -> None:
    """With a constant matrix as Gemm; of two computed tensors BATCH_MATMUL."""
    rank = len(op.output_shape)
    tensor = op.activation(0, plain(len(op.shape(0))))
    if op.is_constant(1) and len(op.shape(1)) == 2:
        filters = _matrix(op, transposed=False, factor=1.0)
        if rank == 2:
            op.finish(_connected(op, tensor, filters, 0.0))
        else:
            table = options("FullyConnected", keepNumDims=True, fusedActivationFunction=fused_activation(op))
            bias = op.values.model.constant("no bias", np.zeros(filters.shape[0], np.float32))
            if op.integer:
                raise ConversionError(
                    f"{op.node}: leave this MatMul in float: quantize matrices of rank 2 only"
                )
            op.finish(op.emit(Op.FULLY_CONNECTED, [tensor, filters, bias], op.output(plain(rank)), table))
        return
    other = op.activation(1, plain(len(op.shape(1))))
    op.finish(op.emit(Op.BATCH_MATMUL, [tensor, other], op.output(plain(rank)), options("BatchMatMul")))


def _connected(op: Operation, tensor: Tensor, filters: Tensor, beta: float) -> Tensor:
    bias = bias_of(op, 2, tensor, filters, beta)
    quantization = filters.quantization
    if quantization is not None and quantization.scale.size > 1:
        return _as_convolution(op, tensor, filters, bias)
    table = options("FullyConnected", fusedActivationFunction=fused_activation(op))
    return op.emit(Op.FULLY_CONNECTED, [tensor, filters, bias], op.output(plain(2)), table)


def _as_convolution(op: Operation, tensor: Tensor, filters: Tensor, bias: Tensor) -> Tensor:
    assert filters.data is not None, "weights that a runtime widens are no integers"
    model = op.values.model
    rows, inputs, outputs = tensor.shape[0], tensor.shape[1], filters.shape[0]
    kernel = model.constant(
        filters.name, filters.data.reshape(outputs, 1, 1, inputs), None, filters.quantization
    )
    picture = model.tensor(f"{tensor.name}/pixel", (rows, 1, 1, inputs), NHWC, tensor.quantization)
    op.emit(Op.RESHAPE, [tensor, op.numbers(rows, 1, 1, inputs)], picture)
    table = options("Conv2D", strideH=1, strideW=1, padding=1, fusedActivationFunction=fused_activation(op))
    answer = op.temporary((rows, outputs, 1, 1), NHWC, op.quantization)
    op.emit(Op.CONV_2D, [picture, kernel, bias], answer, table)
    return op.emit(Op.RESHAPE, [answer, op.numbers(rows, outputs)], op.output(plain(2)))


def _matrix(op: Operation, *, transposed: bool, factor: float) -> Tensor:
    """The weights as TFLite wants them: (outputs, inputs)."""
    name, stored = op.node.inputs[1], op.stored(1)
    if op.integer and stored is not None:
        array, quantization = stored
        turned = array if transposed else array.T
        scaled = Quantization(
            quantization.dtype, (quantization.scale * factor).astype(np.float32), quantization.zero_point
        )
        return op.values.model.constant(name, turned, None, scaled)
    numbers: NDArray[np.float32] = (op.constant(1) * factor).astype(np.float32)
    return op.weights(numbers if transposed else numbers.T, name, 0, hybrid=True)
