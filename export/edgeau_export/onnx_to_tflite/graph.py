"""An ONNX graph as plain records with every shape known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import ConversionError

__all__ = ["ConversionError", "Graph", "Node"]


@dataclass(frozen=True)
class Node:
    """One ONNX node; an input that is left out is ``""``."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operator} {self.name or self.outputs[0]!r}"


@dataclass
class Graph:
    """Nodes in an order in which they can run.

    Attributes:
        input: name of the one input.
        output: name of the one output.
        nodes: without constants, shape arithmetic and names for the same thing.
        constants: by name.
        shapes: shapes of every tensor, in ONNX's axis order.
    """

    input: str
    output: str
    nodes: list[Node]
    constants: dict[str, NDArray[np.generic]]
    shapes: dict[str, tuple[int, ...]]

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read each tensor."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in set(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    def without_dead_nodes(self) -> Graph:
        """The nodes that the output depends on."""
        wanted = {self.output}
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(node.inputs)
        return replace(self, nodes=kept[::-1])
