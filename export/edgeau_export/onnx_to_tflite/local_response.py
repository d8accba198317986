"""Local response normalization, as torch writes it in ONNX: nine nodes that TFLite has one operator for.

``y = x / (k + alpha * mean(x^2 over n neighbouring channels)) ^ beta``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgeau_export.onnx_to_tflite.graph import Graph, Node

__all__ = ["with_local_response"]

_RENAMING = ("Reshape", "Squeeze", "Unsqueeze")


def with_local_response(graph: Graph) -> Graph:
    """The pattern as ONNX's own LRN; what only it used is left without a reader."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    return replace(graph, nodes=[_match(node, graph, by_output) or node for node in graph.nodes])


def _match(node: Node, graph: Graph, by_output: Mapping[str, Node]) -> Node | None:
    if node.operator != "Div":
        return None
    power = by_output.get(node.inputs[1])
    add = _before(power, "Pow", by_output)
    scaled = _before(add, "Add", by_output)
    pool = _before(scaled, "Mul", by_output)
    while pool is not None and pool.operator in _RENAMING:
        pool = by_output.get(pool.inputs[0])
    square = _before(pool, "AveragePool", by_output)
    while square is not None and square.operator in _RENAMING:
        square = by_output.get(square.inputs[0])
    if power is None or add is None or scaled is None or pool is None or square is None:
        return None
    if square.operator != "Mul" or square.inputs != (node.inputs[0], node.inputs[0]):
        return None
    size, *others = pool.attributes["kernel_shape"]
    if set(others) != {1} or not pool.attributes.get("count_include_pad", 0):
        return None
    numbers = [_number(graph, item.inputs[1]) for item in (scaled, add, power)]
    if any(number is None for number in numbers):
        return None
    alpha, bias, beta = numbers
    attributes = {"size": int(size), "alpha": alpha, "bias": bias, "beta": beta}
    return Node("LRN", node.name, (node.inputs[0],), node.outputs, attributes)


def _before(node: Node | None, operator: str, by_output: Mapping[str, Node]) -> Node | None:
    """Find what a node of a kind reads first."""
    if node is None or node.operator != operator:
        return None
    return by_output.get(node.inputs[0])


def _number(graph: Graph, name: str) -> float | None:
    constant = graph.constants.get(name)
    return float(constant.reshape(-1)[0]) if constant is not None and constant.size == 1 else None
