"""The nodes of a Q/DQ graph that ONNX Runtime really runs in integers: asked of the graph that it rewrites for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from edgeau._system.scratch_folder import scratch_folder
from edgeau_calibration.graph.ort_session import open_model

__all__ = ["NodeCount", "integer_nodes"]

_INTEGER = ("QLinear", "QGemm", "ConvInteger", "MatMulInteger", "DynamicQuantize", "QAttention")
_CONVERSIONS = ("QuantizeLinear", "DequantizeLinear")
# They move or choose values and compute none: integer or float is all the same to them.
_MOVES = frozenset(
    [
        "Reshape",
        "Flatten",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Slice",
        "Split",
        "Concat",
        "Gather",
        "Pad",
        "MaxPool",
        "ReorderInput",
        "ReorderOutput",
    ]
)


@dataclass(frozen=True)
class NodeCount:
    """Counts of the nodes of each operator by how they run.

    Attributes:
        integer: they compute in integers.
        floating: they compute in float.
        conversions: between the two.
        moves: they only move values.
    """

    integer: Mapping[str, int]
    floating: Mapping[str, int]
    conversions: Mapping[str, int]
    moves: Mapping[str, int]


def integer_nodes(model: onnx.ModelProto) -> NodeCount:
    """Count the nodes of the graph that ONNX Runtime runs on this machine.

    Raises:
        CalibrationError: ONNX Runtime refuses the graph.
    """
    with scratch_folder("nodes") as folder:
        file = Path(folder) / "rewritten.onnx"
        open_model(model, keep=str(file))
        kinds = Counter(node.op_type for node in onnx.load(file).graph.node)
    counts: dict[str, dict[str, int]] = {"integer": {}, "floating": {}, "conversions": {}, "moves": {}}
    for kind, count in sorted(kinds.items()):
        counts[_kind_of(kind)][kind] = count
    return NodeCount(**counts)


def _kind_of(operator: str) -> str:
    if operator in _CONVERSIONS:
        return "conversions"
    if operator.startswith(_INTEGER):
        return "integer"
    return "moves" if operator in _MOVES else "floating"
