"""Activations that a Q/DQ graph leaves to its ranges.

An 8-bit range that starts at 0 clips what is below: ONNX Runtime's quantizer drops the Relu in front of it. Symmetric 16-bit
integers clip nothing there, so the Relu is put back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeau_export.onnx_to_tflite.graph import Node

if TYPE_CHECKING:
    from edgeau_export.onnx_to_tflite.graph import Graph

__all__ = ["with_implied_relus"]

# What can answer below 0, and had a Relu behind it if its range says otherwise.
_SIGNED = ("Add", "Conv", "Gemm", "MatMul", "Mul", "Sub")


def with_implied_relus(graph: Graph) -> Graph:
    """The same graph with a Relu in front of every QuantizeLinear that stands for one."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    nodes: list[Node] = []
    for node in graph.nodes:
        source = by_output.get(node.inputs[0])
        if _starts_at_zero(node, graph) and source is not None and source.operator in _SIGNED:
            name = f"{node.inputs[0]}/positive/{len(nodes)}"
            graph.shapes[name] = graph.shapes[node.inputs[0]]
            nodes.append(Node("Relu", name, (node.inputs[0],), (name,)))
            node = replace(node, inputs=(name, *node.inputs[1:]))  # noqa: PLW2901 - the one that is kept
        nodes.append(node)
    return replace(graph, nodes=nodes)


def _starts_at_zero(node: Node, graph: Graph) -> bool:
    if node.operator != "QuantizeLinear" or len(node.inputs) < 3:
        return False
    zero_point = graph.constants[node.inputs[2]].reshape(-1)
    lowest = np.iinfo(zero_point.dtype.name).min
    return all(int(value) == lowest for value in zero_point.tolist())
