"""Reductions over axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau_export.onnx_to_tflite.lowering.options import options
from edgeau_export.onnx_to_tflite.lowering.registry import lowers
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op

if TYPE_CHECKING:
    from edgeau_export.onnx_to_tflite.layout import Layout
    from edgeau_export.onnx_to_tflite.operation import Operation

__all__ = ["reduction"]

_BUILTINS = {
    "ReduceMean": Op.MEAN,
    "ReduceSum": Op.SUM,
    "ReduceMax": Op.REDUCE_MAX,
    "ReduceMin": Op.REDUCE_MIN,
}


@lowers("ReduceMean", integer=True, parameters=(1,))
@lowers("ReduceSum", "ReduceMax", "ReduceMin")
def reduction(op: Operation) -> None:
    """Axes by attribute (ONNX up to 17) or by input."""
    tensor = op.activation(0)
    rank = len(tensor.shape)
    given = op.constant(1).reshape(-1).tolist() if op.has(1) else op.attribute("axes", range(rank))
    axes = [int(axis) % rank for axis in given]
    keeps = bool(op.attribute("keepdims", 1))
    layout = tensor.layout if keeps else _without(tensor.layout, axes)
    places = op.numbers(*sorted(tensor.layout.index(axis) for axis in axes))
    table = options("Reducer", keepDims=keeps)
    op.finish(op.emit(_BUILTINS[op.node.operator], [tensor, places], op.output(layout), table))


def _without(layout: Layout, axes: list[int]) -> Layout:
    kept = [axis for axis in layout if axis not in axes]
    renamed = {axis: place for place, axis in enumerate(sorted(kept))}
    return tuple(renamed[axis] for axis in kept)
