"""Picking numbers and comparing them: what the attention and graph layers of the USTC networks need."""

from __future__ import annotations

import numpy as np

from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.lowering.arithmetic import pair
from edgeau_export.onnx_to_tflite.lowering.registry import lowers, options
from edgeau_export.onnx_to_tflite.operation import Operation
from edgeau_export.onnx_to_tflite.schema import BuiltinOperator as Op
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.tensor import Layout, Tensor, physical, plain

__all__ = ["cast", "comparison", "gather", "top_k"]

_COMPARISONS = {
    "Equal": Op.EQUAL,
    "Greater": Op.GREATER,
    "GreaterOrEqual": Op.GREATER_EQUAL,
    "Less": Op.LESS,
    "LessOrEqual": Op.LESS_EQUAL,
}
_FLOAT = 1  # of onnx.TensorProto


@lowers(*_COMPARISONS)
def comparison(op: Operation) -> None:
    """True or false per element."""
    left, right, layout = pair(op)
    op.finish(op.emit(_COMPARISONS[op.node.operator], [left, right], _of(op, layout, np.bool_)))


@lowers("Cast")
def cast(op: Operation) -> None:
    """To float; true is 1."""
    tensor = op.activation(0)
    if op.attribute("to", 0) != _FLOAT:
        raise ConversionError(f"{op.node}: only casts to float can be converted")
    if tensor.dtype == np.float32:
        op.finish(tensor)
        return
    kind = tables.TensorType
    table = options(
        "Cast", inDataType=kind.BOOL if tensor.dtype == np.bool_ else kind.INT32, outDataType=kind.FLOAT32
    )
    op.finish(op.emit(Op.CAST, [tensor], op.output(tensor.layout), table))


@lowers("TopK")
def top_k(op: Operation) -> None:
    """The largest along the last axis, largest first; TFLite knows no other order."""
    rank = len(op.output_shape)
    if op.attribute("axis", -1) % rank != rank - 1 or not op.attribute("largest", 1):
        raise ConversionError(f"{op.node}: only the largest along the last axis can be converted")
    layout = plain(rank)
    count = op.values.model.constant("k", np.array(int(op.constant(1).reshape(-1)[0]), np.int32))
    answer, places = op.output(layout), _of(op, layout, np.int32)
    op.values.model.operator(
        Op.TOPK_V2, [op.activation(0, layout), count], [answer, places], tables.TopKV2OptionsT()
    )
    op.finish(answer)
    if len(op.node.outputs) > 1:
        op.values.tensors[op.node.outputs[1]] = places


@lowers("Gather")
def gather(op: Operation) -> None:
    """Constant places along one axis; a single place takes the axis away."""
    rank = len(op.shape(0))
    tensor = op.activation(0, plain(rank))
    axis = op.attribute("axis", 0) % rank
    places = op.constant(1)
    places = np.where(places < 0, places + op.shape(0)[axis], places).astype(np.int32)
    chosen = op.values.model.constant("places", places)
    answer = op.output(plain(len(op.output_shape)))
    op.finish(op.emit(Op.GATHER, [tensor, chosen], answer, options("Gather", axis=axis)))


def _of(op: Operation, layout: Layout, kind: type[np.generic]) -> Tensor:
    name, shape = op.node.outputs[0], physical(op.output_shape, layout)
    return op.values.model.tensor(name, shape, layout, None, np.dtype(kind))
