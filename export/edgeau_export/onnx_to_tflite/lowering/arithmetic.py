"""Element by element: sums, products, powers, of tensors that may broadcast."""

from __future__ import annotations

from typing import Any

from edgeau_export.onnx_to_tflite.lowering.registry import fused_activation, lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.tensor import Layout, Tensor, plain

__all__ = ["binary", "pair", "power"]

_BUILTINS = {
    "Add": Op.ADD,
    "Sub": Op.SUB,
    "Mul": Op.MUL,
    "Div": Op.DIV,
    "Max": Op.MAXIMUM,
    "Min": Op.MINIMUM,
}


@lowers("Add", "Sub", "Mul", integer=True)
@lowers("Div", "Max", "Min")
def binary(op: Operation) -> None:
    """Two tensors in the layout of the first one that is computed."""
    left, right, layout = pair(op)
    builtin = _BUILTINS[op.node.operator]
    op.finish(op.emit(builtin, [left, right], op.output(layout), _table(op)))


@lowers("Pow")
def power(op: Operation) -> None:
    """Squares and roots by their own kernels, which are faster and exact."""
    exponent = (
        float(op.constant(1).reshape(-1)[0]) if op.is_constant(1) and op.constant(1).size == 1 else None
    )
    tensor = op.activation(0)
    if exponent == 2:
        op.finish(op.emit(Op.MUL, [tensor, tensor], op.output(tensor.layout), options("Mul")))
    elif exponent == 0.5:
        op.finish(op.emit(Op.SQRT, [tensor], op.output(tensor.layout)))
    else:
        left, right, layout = pair(op)
        op.finish(op.emit(Op.POW, [left, right], op.output(layout), options("Pow")))


def pair(op: Operation) -> tuple[Tensor, Tensor, Layout]:
    """Both inputs with the rank of the answer, in one layout."""
    rank = len(op.output_shape)
    layout = next(
        (op.layout(n) for n in (0, 1) if not op.is_constant(n) and len(op.layout(n)) == rank), plain(rank)
    )
    return _operand(op, 0, rank, layout), _operand(op, 1, rank, layout), layout


def _operand(op: Operation, number: int, rank: int, layout: Layout) -> Tensor:
    if op.is_constant(number) or len(op.shape(number)) == rank:
        return op.activation(number, layout)
    # ONNX broadcasts from the last axis on: a tensor of lower rank gets axes of length 1 in front.
    shape = op.shape(number)
    tensor = op.activation(number, plain(len(shape)))
    full = (1,) * (rank - len(shape)) + shape
    wide = op.temporary(full, plain(rank), tensor.quantization)
    op.emit(Op.RESHAPE, [tensor, op.numbers(*full)], wide)
    return op.values.in_layout(wide, layout)


def _table(op: Operation) -> Any:
    kind = op.node.operator
    if kind in ("Max", "Min"):
        return options("MaximumMinimum")
    activation = fused_activation(op)
    if kind in ("Add", "Sub"):
        # Scales of 16-bit tensors are any number here, not powers of two.
        return options(kind, fusedActivationFunction=activation, potScaleInt16=False)
    return options(kind, fusedActivationFunction=activation)
