"""Units of a graph that stay in float or become integer together: single layers, blocks, and layers by their role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import onnx

from edgeau.errors import CalibrationError
from edgeau_calibration.graph.quantizable_layers import weighted_nodes
from edgeau_calibration.graph.subgraph import cuts
from edgeau_calibration.graph.view import GraphView

__all__ = ["ROLES", "Unit", "blocks", "layers", "nodes_of_roles"]

ROLES = ("first", "last", "squeeze-excite", "depthwise")
_POOLS = ("GlobalAveragePool", "ReduceMean")
# What stands between the pooling of a squeeze-and-excitation and the product with its gate.
_GATE = ("Conv", "Sigmoid", "HardSigmoid", "HardSwish", "Relu", "Mul", "Clip", "Add", "Div")


@dataclass(frozen=True)
class Unit:
    """Nodes by name, under one name for people."""

    name: str
    nodes: tuple[str, ...]


def layers(graph: onnx.GraphProto) -> list[Unit]:
    """Each Conv and Gemm alone."""
    return [Unit(node.name, (node.name,)) for node in weighted_nodes(graph)]


def blocks(graph: onnx.GraphProto) -> list[Unit]:
    """All nodes between two places that everything passes through, where there is a layer with weights among them."""
    weighted = {node.name for node in weighted_nodes(graph)} | set(_matrices(graph))
    bounds = [before for _, before in cuts(graph)]
    found: list[Unit] = []
    first = 0
    for last in [*bounds[1:], len(graph.node)]:
        names = [node.name for node in graph.node[first:last]]
        heavy = [name for name in names if name in weighted]
        # What follows a block without weights of its own (its activation, say) belongs to it.
        if heavy:
            found.append(Unit(heavy[0], tuple(names)))
        elif found:
            found[-1] = Unit(found[-1].name, (*found[-1].nodes, *names))
        first = last
    return found


def _matrices(graph: onnx.GraphProto) -> list[str]:
    """Products with a constant matrix, which the layers of a transformer are."""
    constants = {item.name for item in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants]


def nodes_of_roles(graph: onnx.GraphProto, roles: Iterable[str]) -> tuple[str, ...]:
    """Names of the nodes that play one of the roles.

    Raises:
        CalibrationError: a role is not known.
    """
    found: list[str] = []
    for role in roles:
        if role not in ROLES:
            raise CalibrationError(f"role {role!r} is not known; known roles: {', '.join(ROLES)}")
        found += _FINDERS[role](graph)
    return tuple(dict.fromkeys(found))


def _first(graph: onnx.GraphProto) -> list[str]:
    return [node.name for node in weighted_nodes(graph)[:1]]


def _last(graph: onnx.GraphProto) -> list[str]:
    return [node.name for node in weighted_nodes(graph)[-1:]]


def _depthwise(graph: onnx.GraphProto) -> list[str]:
    return [
        node.name
        for node in weighted_nodes(graph)
        if any(item.name == "group" and item.i > 1 for item in node.attribute)
    ]


def _squeeze_excite(graph: onnx.GraphProto) -> list[str]:
    """From each pooling to the product of its gate with what was pooled."""
    view = GraphView(graph)
    found: list[str] = []
    for pool in graph.node:
        if pool.op_type not in _POOLS:
            continue
        path, closed = _gate(pool, view)
        if closed:
            found += [pool.name, *path]
    return found


def _gate(pool: onnx.NodeProto, view: GraphView) -> tuple[list[str], bool]:
    waiting, path, closed = [pool.output[0]], [], False
    while waiting:
        for node in view.nodes_reading(waiting.pop()):
            if node.op_type == "Mul" and pool.input[0] in node.input:
                closed = True
            elif node.op_type in _GATE and node.name not in path:
                path.append(node.name)
                waiting += node.output
    return path, closed


_FINDERS = {
    "first": _first,
    "last": _last,
    "squeeze-excite": _squeeze_excite,
    "depthwise": _depthwise,
}
