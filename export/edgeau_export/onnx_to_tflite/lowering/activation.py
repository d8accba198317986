"""Activation functions that stand alone; most are fused into the operator before them (:mod:`edgeau_export.onnx_to_tflite.fusion`)."""

from __future__ import annotations

import numpy as np

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.registry import lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.quantization import kernel_quantization
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import Tensor, plain

__all__ = [
    "clip",
    "error_function",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "logistic",
    "prelu",
    "relu",
    "softmax",
    "unary",
]

_UNARY = {
    "Abs": Op.ABS,
    "Exp": Op.EXP,
    "HardSwish": Op.HARD_SWISH,
    "Log": Op.LOG,
    "Neg": Op.NEG,
    "Sqrt": Op.SQRT,
    "Tanh": Op.TANH,
}

# By their bounds.
_BOUNDED: dict[tuple[float | None, float | None], int] = {
    (0.0, 6.0): Op.RELU6,
    (-1.0, 1.0): Op.RELU_N1_TO_1,
    (0.0, 1.0): Op.RELU_0_TO_1,
    (0.0, None): Op.RELU,
}


@lowers(*_UNARY)
def unary(op: Operation) -> None:
    """One tensor in, one of the same shape and layout out."""
    tensor = op.activation(0)
    op.finish(op.emit(_UNARY[op.node.operator], [tensor], op.output(tensor.layout)))


@lowers("Relu", integer=True)
def relu(op: Operation) -> None:
    """Negative numbers become 0."""
    tensor = op.activation(0)
    op.finish(op.emit_in_place(Op.RELU, [tensor], tensor.layout))


@lowers("Sigmoid", integer=True)
def logistic(op: Operation) -> None:
    """Its integer kernel writes steps of 1/256 and nothing else."""
    tensor = op.activation(0)
    fixed = kernel_quantization(tensor.dtype) if op.integer else None
    op.finish(op.emit(Op.LOGISTIC, [tensor], op.output(tensor.layout, fixed)))


@lowers("Softmax")
def softmax(op: Operation) -> None:
    """Over the last axis of memory, as TFLite has it."""
    rank = len(op.output_shape)
    axis = op.attribute("axis", -1) % rank
    order = (*(a for a in plain(rank) if a != axis), axis)
    tensor = op.activation(0, order)
    op.finish(op.emit(Op.SOFTMAX, [tensor], op.output(order), options("Softmax", beta=1.0)))


@lowers("LeakyRelu")
def leaky_relu(op: Operation) -> None:
    """``alpha * x`` below 0."""
    tensor = op.activation(0)
    table = options("LeakyRelu", alpha=op.attribute("alpha", 0.01))
    op.finish(op.emit(Op.LEAKY_RELU, [tensor], op.output(tensor.layout), table))


@lowers("PRelu")
def prelu(op: Operation) -> None:
    """A slope per channel."""
    tensor = op.activation(0)
    rank = len(tensor.shape)
    slope = op.constant(1)
    data = slope.reshape((1,) * (rank - slope.ndim) + slope.shape).transpose(tensor.layout)
    # Without the batch axis, as Keras writes it and XNNPACK reads it.
    alpha = op.values.model.constant(op.node.inputs[1], data[0].astype(np.float32))
    op.finish(op.emit(Op.PRELU, [tensor, alpha], op.output(tensor.layout)))


@lowers("Clip", integer=True, parameters=(1, 2))
def clip(op: Operation) -> None:
    """Bounds that have a kernel of their own; others by MINIMUM and MAXIMUM, in float."""
    tensor = op.activation(0)
    low, high = _bound(op, 1), _bound(op, 2)
    builtin = _BOUNDED.get((low, high))
    if builtin is not None:
        op.finish(op.emit_in_place(builtin, [tensor], tensor.layout))
        return
    if op.integer:
        raise ConversionError(
            f"{op.node}: leave a clip to {low}..{high} in float: TFLite has no kernel for it"
        )
    for bound, kind in ((low, Op.MAXIMUM), (high, Op.MINIMUM)):
        if bound is not None:
            number = op.values.model.constant("bound", np.array(bound, np.float32))
            tensor = op.emit(
                kind, [tensor, number], op.output(tensor.layout), tables.MaximumMinimumOptionsT()
            )
    op.finish(tensor)


@lowers("Gelu", integer=True)
def gelu(op: Operation) -> None:
    """By the error function or by tanh; its integer kernel looks the answer up."""
    tensor = op.activation(0)
    approximate = op.attribute("approximate", b"none") in (b"tanh", "tanh")
    op.finish(op.emit(Op.GELU, [tensor], op.output(tensor.layout), options("Gelu", approximate=approximate)))


# Abramowitz and Stegun, Handbook of Mathematical Functions, formula 7.1.26: within 1.5e-7.
_ERF_P = 0.3275911
_ERF_A = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


@lowers("Erf")
def error_function(op: Operation) -> None:
    """Write Erf that is not part of a GELU: ``sign(x) (1 - t (a5 + t (a4 + ...)) exp(-x^2))`` with ``t = 1 / (1 + p |x|)``."""
    tensor, layout = op.activation(0), op.activation(0).layout

    def binary(kind: int, name: str, left: Tensor, right: Tensor | float) -> Tensor:
        other = right if isinstance(right, Tensor) else _constant(op, right)
        return op.emit(kind, [left, other], op.output(layout), options(name))

    size = op.emit(Op.ABS, [tensor], op.output(layout))
    divisor = binary(Op.ADD, "Add", binary(Op.MUL, "Mul", size, _ERF_P), 1.0)
    t = op.emit(Op.DIV, [_constant(op, 1.0), divisor], op.output(layout), options("Div"))
    sum_ = binary(Op.MUL, "Mul", t, _ERF_A[0])
    for factor in _ERF_A[1:]:
        sum_ = binary(Op.MUL, "Mul", binary(Op.ADD, "Add", sum_, factor), t)
    negative = op.emit(Op.NEG, [binary(Op.MUL, "Mul", tensor, tensor)], op.output(layout))
    tail = binary(Op.MUL, "Mul", sum_, op.emit(Op.EXP, [negative], op.output(layout)))
    answer = op.emit(Op.SUB, [_constant(op, 1.0), tail], op.output(layout), options("Sub"))
    sign = op.emit(Op.SIGN, [tensor], op.output(layout))
    op.finish(binary(Op.MUL, "Mul", answer, sign))


def _constant(op: Operation, number: float) -> Tensor:
    return op.values.model.constant("number", np.array(number, np.float32))


@lowers("HardSigmoid")
def hard_sigmoid(op: Operation) -> None:
    """``relu6(x + 3) / 6`` for the usual slope of 1/6 and offset of 1/2."""
    if abs(op.attribute("alpha", 0.2) - 1 / 6) > 1e-4 or op.attribute("beta", 0.5) != 0.5:
        raise ConversionError(f"{op.node}: only a slope of 1/6 and an offset of 1/2 can be converted")
    tensor, constant = op.activation(0), op.values.model.constant
    table = options("Add", fusedActivationFunction=tables.ActivationFunctionType.RELU6)
    moved = op.emit(
        Op.ADD, [tensor, constant("three", np.array(3, np.float32))], op.output(tensor.layout), table
    )
    sixth = constant("sixth", np.array(1 / 6, np.float32))
    op.finish(op.emit(Op.MUL, [moved, sixth], op.output(tensor.layout), options("Mul")))


def _bound(op: Operation, number: int) -> float | None:
    return float(op.constant(number).reshape(-1)[0]) if op.has(number) else None
