"""The memory that a graph's activations need when its operators run in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import onnx

__all__ = ["peak_bytes", "peak_bytes_of_onnx"]

_Tensor = TypeVar("_Tensor", bound=Hashable)


def peak_bytes(
    steps: Sequence[tuple[Iterable[_Tensor], Iterable[_Tensor]]],
    entries: Iterable[_Tensor],
    results: Iterable[_Tensor],
    size: Callable[[_Tensor], int],
) -> int:
    """Most bytes of activations alive at once, each from the operator that makes it to the last that reads it.

    A lower bound on what an engine takes: it adds scratch memory and padding, and may keep inputs longer; it may also write
    an element-wise result over its input, which this does not assume.

    Args:
        steps: steps of each operator, in their order, the tensors that it reads and those that it makes; no constants.
        entries: tensors that are there at the beginning.
        results: tensors that are wanted at the end.
        size: bytes of a tensor.
    """
    last = {name: step for step, (read, _) in enumerate(steps) for name in read}
    last.update(dict.fromkeys(results, len(steps)))
    alive = {name: size(name) for name in entries}
    peak = sum(alive.values())
    for step, (_, made) in enumerate(steps):
        alive.update({name: size(name) for name in made})
        peak = max(peak, sum(alive.values()))
        for name in [name for name in alive if last.get(name, step) <= step]:
            del alive[name]
    return peak


def peak_bytes_of_onnx(graph: onnx.GraphProto, size: Callable[[str], int]) -> int:
    """The same of an ONNX graph.

    Args:
        graph: in topological order.
        size: bytes of a tensor by name.
    """
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    steps = [
        ([name for name in node.input if name not in constants], list(node.output))
        for node in graph.node
        if node.op_type != "Constant"
    ]
    entries = [tensor.name for tensor in graph.input if tensor.name not in constants]
    return peak_bytes(steps, entries, [tensor.name for tensor in graph.output], size)
