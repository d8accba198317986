"""Gemm and MatMul: FULLY_CONNECTED; with one scale per channel a 1 x 1 CONV_2D, whose integer kernels every runtime has."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.convolution import bias_of
from edgeau_export.onnx_to_tflite.lowering.padding import VALID
from edgeau_export.onnx_to_tflite.lowering.registry import fused_activation, lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.quantization import Quantization
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import NHWC, Tensor, plain
from edgeau_export.onnx_to_tflite.values import WORTH_PACKING

__all__ = ["gemm", "matmul"]


@lowers("Gemm", integer=True, parameters=(2,))
def gemm(op: Operation) -> None:
    """``alpha * A B + beta * C`` with constant ``B`` and ``C``."""
    if op.attribute("transA", 0):
        raise ConversionError(f"{op.node}: a transposed input has no TFLite form here")
    alpha, beta = op.attribute("alpha", 1.0), op.attribute("beta", 1.0)
    tensor = op.activation(0, plain(2))
    matrix = _matrix(op, transposed=bool(op.attribute("transB", 0)), factor=alpha)
    op.finish(_connected(op, tensor, matrix, beta))


@lowers("MatMul", integer=True)
def matmul(op: Operation) -> None:
    """With a constant matrix as Gemm; of two computed tensors BATCH_MATMUL."""
    rank = len(op.output_shape)
    _refuse_scales(op, 0, "stands on the left")
    tensor = op.activation(0, plain(len(op.shape(0))))
    if op.is_constant(1) and len(op.shape(1)) == 2:
        matrix = _matrix(op, transposed=False, factor=1.0)
        op.finish(_connected(op, tensor, matrix, 0.0) if rank == 2 else _on_tokens(op, tensor, matrix))
        return
    _refuse_scales(op, 1, "holds a matrix for each place")
    other = op.activation(1, plain(len(op.shape(1))))
    op.finish(op.emit(Op.BATCH_MATMUL, [tensor, other], op.output(plain(rank)), options("BatchMatMul")))


def _refuse_scales(op: Operation, index: int, what: str) -> None:
    """BATCH_MATMUL reads the first of several scales, and would be wrong without a word."""
    stored = op.stored_constant(index) if op.integer else None
    if stored is not None and stored[1].scale.size > 1:
        raise ConversionError(
            f"{op.node}: {op.node.inputs[index]} {what} and has {stored[1].scale.size} scales; "
            "BATCH_MATMUL knows one: quantize it per tensor, or leave this MatMul in float"
        )


def _on_tokens(op: Operation, tensor: Tensor, matrix: _Matrix) -> Tensor:
    """The same matrix for every row of a tensor with more axes; the axes stay."""
    if op.integer:
        return _as_convolution(op, tensor, matrix, 0.0)
    table = options("FullyConnected", keepNumDims=True, fusedActivationFunction=fused_activation(op))
    # A row of weights per output would need a kernel that old runtimes lack: they are widened when the file is loaded.
    filters = op.weights(matrix.array, matrix.name, 0, hybrid=False)
    bias = op.values.model.constant("no bias", np.zeros(filters.shape[0], np.float32))
    return op.emit(Op.FULLY_CONNECTED, [tensor, filters, bias], op.output(plain(len(tensor.shape))), table)


def _connected(op: Operation, tensor: Tensor, matrix: _Matrix, beta: float) -> Tensor:
    if matrix.per_channel:
        return _as_convolution(op, tensor, matrix, beta)
    filters = matrix.stored_constant(op)
    table = options("FullyConnected", fusedActivationFunction=fused_activation(op))
    inputs = [tensor, filters, bias_of(op, 2, tensor, filters, beta)]
    return op.emit(Op.FULLY_CONNECTED, inputs, op.output(plain(2)), table)


def _as_convolution(op: Operation, tensor: Tensor, matrix: _Matrix, beta: float) -> Tensor:
    """All axes between the first and the last become the picture's height."""
    outputs, inputs = matrix.array.shape
    first, *between, _ = tensor.shape
    height = math.prod(between)
    filters = replace(matrix, array=matrix.array.reshape(outputs, 1, 1, inputs)).stored_constant(op)
    picture = op.values.model.tensor(
        f"{tensor.name}/pixel", (first, height, 1, inputs), NHWC, tensor.quantization
    )
    op.emit(Op.RESHAPE, [tensor, op.numbers(first, height, 1, inputs)], picture)
    table = options(
        "Conv2D", strideH=1, strideW=1, padding=VALID, fusedActivationFunction=fused_activation(op)
    )
    answer = op.temporary((first, outputs, height, 1), NHWC, op.quantization)
    bias = bias_of(op, 2, tensor, filters, beta, axis=-1)
    op.emit(Op.CONV_2D, [picture, filters, bias], answer, table)
    shape = op.numbers(first, *between, outputs)
    return op.emit(Op.RESHAPE, [answer, shape], op.output(plain(len(tensor.shape))))


@dataclass(frozen=True)
class _Matrix:
    """Weights as TFLite wants them, (outputs, inputs): numbers, or integers and what they stand for."""

    name: str
    array: NDArray[Any]
    quantization: Quantization | None
    hybrid: bool

    @property
    def per_channel(self) -> bool:
        """One scale for each output: kept by the graph, or about to be made for a hybrid kernel."""
        return self.hybrid or (self.quantization is not None and self.quantization.scale.size > 1)

    def stored_constant(self, op: Operation) -> Tensor:
        """Store as a constant of the model, in the file's precision."""
        if self.quantization is None:
            return op.weights(self.array, self.name, 0, hybrid=True)
        return op.values.model.constant(self.name, self.array, None, self.quantization)


def _matrix(op: Operation, *, transposed: bool, factor: float) -> _Matrix:
    name, stored = op.node.inputs[1], op.stored_constant(1)
    if op.integer and stored is not None:
        array, quantization = stored
        scale = (quantization.scale * factor).astype(np.float32)
        scaled = replace(quantization, scale=scale, axis=0)
        return _Matrix(name, array if transposed else array.T, scaled, hybrid=False)
    numbers: NDArray[np.float32] = (op.constant(1) * factor).astype(np.float32)
    hybrid = op.precision.hybrid and numbers.size >= WORTH_PACKING
    return _Matrix(name, numbers if transposed else numbers.T, None, hybrid)
