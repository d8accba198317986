"""Activation functions that a graph writes as several operators: GELU by the error function or by tanh, Mish, an older hard-swish.

Such a function is one rounding where it stays in float between two quantized tensors, and one table or one fused operator in
engines. Quantizing the numbers in between (1 + erf, say) costs a rounding for each, and breaks the operator apart.
"""

from __future__ import annotations

from collections.abc import Collection

import onnx

__all__ = ["inside_functions"]

_ELEMENTWISE = (
    "Abs", "Add", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "Log", "Max", "Min", "Mish", "Mul",
    "Neg", "Pow", "Reciprocal", "Sigmoid", "Softplus", "Sqrt", "Sub", "Tanh",
)  # fmt: skip


def inside_functions(graph: onnx.GraphProto, operators: Collection[str]) -> tuple[str, ...]:
    """Names of the nodes of functions of one tensor that cannot be integer as a whole.

    A function is all elementwise nodes that depend on one and the same tensor. One whose operators can all be integer, as
    ``x * sigmoid(x)``, is left to the recipe.

    Args:
        graph: float, every node with a name.
        operators: that become integer.
    """
    constants = {item.name for item in graph.initializer}
    root_of: dict[str, str] = {}
    members: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        if node.op_type not in _ELEMENTWISE:
            continue
        computed = [name for name in node.input if name and name not in constants]
        roots = {root_of.get(name, name) for name in computed}
        # Of an input and what is computed from it alone, the input is the root.
        if len(roots) != 1:
            continue
        (root,) = roots
        root_of.update(dict.fromkeys(node.output, root))
        members.setdefault(root, []).append(node)
    return tuple(
        node.name
        for nodes in members.values()
        if len(nodes) > 1 and not {node.op_type for node in nodes} <= set(operators)
        for node in nodes
    )
