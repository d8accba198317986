"""What ONNX Runtime really runs of a Q/DQ graph: nodes in integers, nodes in float between Q and DQ, by its own rewriting."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Executed", "executed"]

_INTEGER = ("QLinear", "ConvInteger", "MatMulInteger", "QGemm", "QAttention", "DynamicQuantize", "QMoE")
# They move integers as they are.
_MOVERS = ("Reshape", "Flatten", "Slice", "Split", "Transpose", "Squeeze", "Unsqueeze", "MaxPool", "Concat")
_CONVERSIONS = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Executed:
    """Nodes after ONNX Runtime rewrote a graph, by operator.

    Attributes:
        integer: that compute in integers.
        floating: that compute in float.
        conversions: quantize and dequantize nodes that were not fused away.
        integer_macs: share of the multiply-accumulates that run in integers, 0..1.
    """

    integer: Mapping[str, int]
    floating: Mapping[str, int]
    conversions: int
    integer_macs: float


def executed(model: onnx.ModelProto, macs: Mapping[str, int]) -> Executed:
    """Look at a graph as ONNX Runtime rewrites it for a processor.

    Args:
        model: Q/DQ or float.
        macs: of the float graph, by name of node.
    """
    nodes = _rewritten(model).graph.node
    integer: Counter[str] = Counter()
    floating: Counter[str] = Counter()
    conversions = 0
    integer_tensors: set[str] = set()
    for node in nodes:
        if node.op_type in _CONVERSIONS:
            conversions += 1
            if node.op_type == "QuantizeLinear":
                integer_tensors.update(node.output)
            continue
        if node.op_type.startswith(_INTEGER) or _moves_integers(node, integer_tensors):
            integer[node.op_type] += 1
            integer_tensors.update(node.output)
        else:
            floating[node.op_type] += 1
    done = sum(macs.get(name, 0) for name in _weighted_in_integers(model, nodes))
    return Executed(dict(integer), dict(floating), conversions, done / max(sum(macs.values()), 1))


def _moves_integers(node: onnx.NodeProto, integer_tensors: set[str]) -> bool:
    return node.op_type in _MOVERS and node.input[0] in integer_tensors


def _weighted_in_integers(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> set[str]:
    """Names of the nodes whose weights an integer operator reads: rewriting renames nodes but keeps their weights."""
    weights = {name for node in nodes if node.op_type.startswith(_INTEGER) for name in node.input}
    made_by = {output: node for node in model.graph.node for output in node.output}
    found = set()
    for node in model.graph.node:
        source = made_by.get(node.input[1]) if len(node.input) > 1 else None
        if source is not None and source.op_type == "DequantizeLinear" and source.input[0] in weights:
            found.add(node.name)
    return found


def _rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory(prefix="edgeau-executed-") as folder:
        file = Path(folder) / "rewritten.onnx"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # One step below what a device uses: the last one only lays tensors out in blocks, under names of its own.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(file)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(file)
