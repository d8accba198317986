"""Homogeneous (scale-invariant) segments of a graph: where a channel may carry another scale and what takes it back.

SiLU is not homogeneous: half the input is not half the output. So a channel's scale cannot pass through it as it passes
through a ReLU (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section
4.1, assume one). What is left is exact: a segment begins at convolutions without activation (projections, and all the
residual sums that tie their channels together) or at the product with a squeeze-and-excitation's gate, and ends in front
of the next convolutions. Behind a ReLU, a PReLU or a pooling it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx

from edgeau_calibration.graph.quantizable_layers import weighted_nodes
from edgeau_calibration.graph.view import GraphView

__all__ = ["HomogeneousSegment", "gate_of", "homogeneous_segments"]

# f(s x) = s f(x) for s > 0, channel by channel; all data inputs and the output share the scale.
_HOMOGENEOUS = {
    "Relu": 1, "LeakyRelu": 1, "PRelu": 1, "Add": 2, "MaxPool": 1, "AveragePool": 1, "GlobalAveragePool": 1, "Identity": 1,
}  # fmt: skip
_GATES = ("Sigmoid", "HardSigmoid", "Clip")


@dataclass
class HomogeneousSegment:
    """Tensors whose channels share one scale.

    Attributes:
        tensors: names, in the order of the graph.
        writers: Conv and Gemm whose output channels are scaled.
        gated: the products with a gate of one value a channel, whose gate is scaled instead.
        readers: Conv and Gemm whose input channels take the scale back.
    """

    tensors: list[str] = field(default_factory=list)
    writers: list[onnx.NodeProto] = field(default_factory=list)
    gated: list[onnx.NodeProto] = field(default_factory=list)
    readers: list[onnx.NodeProto] = field(default_factory=list)


def homogeneous_segments(graph: onnx.GraphProto) -> list[HomogeneousSegment]:
    """All segments that begin and end in a graph, in its order.

    Args:
        graph: from :func:`edgeau_calibration.graph.prepare.prepare_graph`.
    """
    view = GraphView(graph)
    weighted = _own_constants(view)
    order = {name: place for place, node in enumerate(graph.node) for name in node.output}
    ends = {item.name for item in (*graph.input, *graph.output)}
    found: list[HomogeneousSegment] = []
    seen: set[str] = set()
    for node in graph.node:
        for name in node.output:
            if name in seen:
                continue
            segment, whole = _followed(name, view, weighted, ends)
            seen.update(segment.tensors)
            if whole and segment.readers and (segment.writers or segment.gated):
                segment.tensors.sort(key=order.__getitem__)
                found.append(segment)
    return found


def _followed(
    start: str, view: GraphView, weighted: set[str], ends: set[str]
) -> tuple[HomogeneousSegment, bool]:
    """All that shares a scale with a tensor; and whether everything that makes or reads it can do so."""
    segment, whole = HomogeneousSegment(), True
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in segment.tensors:
            continue
        maker = view.producer.get(name)
        if name in ends or maker is None:  # a constant has no maker, and its channels are nobody's
            whole = False
            continue
        segment.tensors.append(name)
        if maker.op_type in _HOMOGENEOUS:
            waiting += maker.input[: _HOMOGENEOUS[maker.op_type]]
        elif maker.name in weighted:
            _once(segment.writers, maker)
        elif gate_of(maker, view) is not None:
            _once(segment.gated, maker)
        else:
            whole = False
        for reader in view.nodes_reading(name):
            if reader.op_type in _HOMOGENEOUS and name in reader.input[: _HOMOGENEOUS[reader.op_type]]:
                waiting += reader.output[:1]
            elif reader.name in weighted and name == reader.input[0]:
                _once(segment.readers, reader)
            else:
                whole = False
    return segment, whole


def _once(nodes: list[onnx.NodeProto], node: onnx.NodeProto) -> None:
    if all(node.name != other.name for other in nodes):
        nodes.append(node)


def _own_constants(view: GraphView) -> set[str]:
    """Names of the Conv and Gemm whose weights and bias are constants that nobody else uses."""
    return {
        node.name
        for node in weighted_nodes(view.graph)
        if all(name in view.constants and len(view.readers[name]) == 1 for name in node.input[1:] if name)
    }


def gate_of(product: onnx.NodeProto, view: GraphView) -> str | None:
    """The gate of a squeeze-and-excitation: what a product multiplies with, made from a pooling of the other factor."""
    if product.op_type != "Mul":
        return None
    for gate, other in (product.input, reversed(product.input)):
        maker = view.producer.get(gate)
        if maker is None or maker.op_type not in _GATES or len(view.nodes_reading(gate)) != 1:
            continue
        pools = [node.output[0] for node in view.nodes_reading(other) if node.op_type == "GlobalAveragePool"]
        if pools and _comes_from(gate, pools[0], view):
            return str(gate)
    return None


def _comes_from(name: str, source: str, view: GraphView) -> bool:
    waiting, seen = [name], set()
    while waiting:
        name = waiting.pop()
        if name == source:
            return True
        if name in seen or name not in view.producer:
            continue
        seen.add(name)
        if view.made_by(name) != "GlobalAveragePool":  # no farther than the squeeze
            waiting += view.producer[name].input
    return False
