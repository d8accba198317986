"""Pieces of an ONNX graph: where it can be cut at one tensor, and what lies between two tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import onnx
from onnx import TensorProto, helper

from edgeau_calibration.graph.view import GraphView

__all__ = ["between", "cuts", "with_outputs"]


def cuts(graph: onnx.GraphProto) -> list[tuple[str, int]]:
    """Tensors that everything before and after them passes through, each with the number of nodes before the cut.

    The input of the graph is the first; residual additions and branches have none inside.
    """
    constants = {item.name for item in graph.initializer}
    last = {name: index for index, node in enumerate(graph.node) for name in node.input}
    live = {graph.input[0].name}
    found = [(graph.input[0].name, 0)]
    for index, node in enumerate(graph.node):
        live |= {output for output in node.output if output in last}
        live -= {name for name in node.input if last[name] == index}
        live -= constants
        if len(live) == 1:
            found.append((next(iter(live)), index + 1))
    return found


def between(model: onnx.ModelProto, start: str, ends: Sequence[str]) -> onnx.ModelProto:
    """The part of a graph that computes ``ends`` from ``start`` (and constants), as a graph of its own.

    Shapes are left open, so that it takes any batch.
    """
    view = GraphView(model.graph)
    needed: set[int] = set()
    waiting = [name for name in ends if name != start]
    seen: set[str] = {start}
    while waiting:
        name = waiting.pop()
        if name in seen or name not in view.producer:
            continue
        seen.add(name)
        needed.add(id(view.producer[name]))
        waiting += view.producer[name].input
    nodes = [node for node in model.graph.node if id(node) in needed]
    names = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(start, TensorProto.FLOAT, None)],
        [helper.make_empty_tensor_value_info(name) for name in ends],
        [item for item in model.graph.initializer if item.name in names],
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def with_outputs(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """The same graph that also gives the named float tensors."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    there = {output.name for output in copy.graph.output}
    for name in names:
        if name not in there:
            copy.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    return copy
