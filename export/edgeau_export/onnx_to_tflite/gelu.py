"""GELU by the error function, as torch writes it in ONNX before opset 20: five nodes that TFLite has one operator for.

``y = x * (1 + erf(x / sqrt(2))) / 2``
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgeau_export.onnx_to_tflite.graph import Graph, Node

__all__ = ["with_gelu"]

# Of the constants: exporters write them in float32.
_CLOSE = 1e-5


def with_gelu(graph: Graph) -> Graph:
    """The pattern as ONNX's own Gelu; what only it used is left without a reader."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    return replace(graph, nodes=[_match(node, graph, by_output) or node for node in graph.nodes])


@dataclass
class _Factors:
    """Factors of a product of products, in whatever order they were multiplied."""

    number: float = 1.0
    computed: list[str] = field(default_factory=list)


def _match(node: Node, graph: Graph, by_output: Mapping[str, Node]) -> Node | None:
    if node.operator != "Mul":
        return None
    factors = _Factors()
    _collect(node, graph, by_output, factors)
    if len(factors.computed) != 2 or not math.isclose(factors.number, 0.5, rel_tol=_CLOSE):
        return None
    for x, other in (factors.computed, factors.computed[::-1]):
        if _argument(other, graph, by_output) == x:
            return Node("Gelu", node.name, (x,), node.outputs, {"approximate": b"none"})
    return None


def _collect(node: Node, graph: Graph, by_output: Mapping[str, Node], factors: _Factors) -> None:
    for name in node.inputs:
        number = _number(graph, name)
        before = by_output.get(name)
        if number is not None:
            factors.number *= number
        elif before is not None and before.operator == "Mul":
            _collect(before, graph, by_output, factors)
        else:
            factors.computed.append(name)


def _argument(name: str, graph: Graph, by_output: Mapping[str, Node]) -> str | None:
    """The x of ``1 + erf(x / sqrt(2))``."""
    add = by_output.get(name)
    if add is None or add.operator != "Add":
        return None
    numbers = [_number(graph, item) for item in add.inputs]
    erf = by_output.get(next((item for item, n in zip(add.inputs, numbers, strict=True) if n is None), ""))
    if 1.0 not in numbers or erf is None or erf.operator != "Erf":
        return None
    scaled = by_output.get(erf.inputs[0])
    if scaled is None or scaled.operator not in ("Div", "Mul"):
        return None
    left, right = (_number(graph, item) for item in scaled.inputs)
    factor = 1 / right if scaled.operator == "Div" and right else right
    if scaled.operator == "Mul" and factor is None and left is not None:
        factor, scaled = left, replace(scaled, inputs=scaled.inputs[::-1])
    if factor is None or not math.isclose(factor, math.sqrt(0.5), rel_tol=_CLOSE):
        return None
    return scaled.inputs[0]


def _number(graph: Graph, name: str) -> float | None:
    constant = graph.constants.get(name)
    return float(constant.reshape(-1)[0]) if constant is not None and constant.size == 1 else None
