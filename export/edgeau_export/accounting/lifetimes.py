"""The memory that a graph's activations need when its nodes run in the order of the file."""

from __future__ import annotations

from collections.abc import Callable

import onnx

__all__ = ["peak_bytes"]


def peak_bytes(graph: onnx.GraphProto, size: Callable[[str], int]) -> int:
    """Most bytes of activations alive at once, each from the node that makes it to the last that reads it.

    A lower bound on what an engine takes: it adds scratch memory and padding, and may keep inputs longer; it may also write
    an element-wise result over its input, which this does not assume.

    Args:
        graph: in topological order.
        size: bytes of a tensor by name.
    """
    constants = {tensor.name for tensor in graph.initializer}
    last = {
        name: step for step, node in enumerate(graph.node) for name in node.input if name not in constants
    }
    for tensor in graph.output:
        last[tensor.name] = len(graph.node)
    alive = {tensor.name: size(tensor.name) for tensor in graph.input if tensor.name not in constants}
    peak = sum(alive.values())
    for step, node in enumerate(graph.node):
        if node.op_type == "Constant":
            continue
        alive.update({name: size(name) for name in node.output})
        peak = max(peak, sum(alive.values()))
        for name in [name for name in alive if last.get(name, step) <= step]:
            del alive[name]
    return peak
