"""Homogeneous (scale-invariant) segments of a graph: where a channel may carry another scale and what takes it back.

SiLU is not homogeneous: half the input is not half the output. So a channel's scale cannot pass through it as it passes
through a ReLU (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section
4.1, assume one). What is left is exact: a segment begins at convolutions without activation (projections, and all the
residual sums that tie their channels together) or at the product with a squeeze-and-excitation's gate, and ends in front
of the next convolutions. Behind a ReLU, a PReLU or a pooling it goes on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import onnx

from edgeau_calibration.graph.quantizable_layers import weighted_nodes
from edgeau_calibration.graph.subgraph import consumers, producers

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
        graph: from :func:`edgeau_calibration.graph.prepare.prepared`.
    """
    made_by, read_by = producers(graph), consumers(graph)
    weighted = _own_constants(graph)
    order = {name: place for place, node in enumerate(graph.node) for name in node.output}
    ends = {item.name for item in (*graph.input, *graph.output)}
    found: list[HomogeneousSegment] = []
    seen: set[str] = set()
    for node in graph.node:
        for name in node.output:
            if name in seen:
                continue
            segment, whole = _followed(name, made_by, read_by, weighted, ends)
            seen.update(segment.tensors)
            if whole and segment.readers and (segment.writers or segment.gated):
                segment.tensors.sort(key=order.__getitem__)
                found.append(segment)
    return found


def _followed(
    start: str,
    made_by: dict[str, onnx.NodeProto],
    read_by: dict[str, list[onnx.NodeProto]],
    weighted: set[str],
    ends: set[str],
) -> tuple[HomogeneousSegment, bool]:
    """All that shares a scale with a tensor; and whether everything that makes or reads it can do so."""
    segment, whole = HomogeneousSegment(), True
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in segment.tensors:
            continue
        maker = made_by.get(name)
        if name in ends or maker is None:  # a constant has no maker, and its channels are nobody's
            whole = False
            continue
        segment.tensors.append(name)
        if maker.op_type in _HOMOGENEOUS:
            waiting += maker.input[: _HOMOGENEOUS[maker.op_type]]
        elif maker.name in weighted:
            _once(segment.writers, maker)
        elif gate_of(maker, made_by, read_by) is not None:
            _once(segment.gated, maker)
        else:
            whole = False
        for reader in read_by.get(name, []):
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


def _own_constants(graph: onnx.GraphProto) -> set[str]:
    """Names of the Conv and Gemm whose weights and bias are constants that nobody else uses."""
    constants = {item.name for item in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input)
    return {
        node.name
        for node in weighted_nodes(graph)
        if all(name in constants and uses[name] == 1 for name in node.input[1:] if name)
    }


def gate_of(
    product: onnx.NodeProto, made_by: dict[str, onnx.NodeProto], read_by: dict[str, list[onnx.NodeProto]]
) -> str | None:
    """The gate of a squeeze-and-excitation: what a product multiplies with, made from a pooling of the other factor."""
    if product.op_type != "Mul":
        return None
    for gate, other in (product.input, reversed(product.input)):
        maker = made_by.get(gate)
        if maker is None or maker.op_type not in _GATES or len(read_by[gate]) != 1:
            continue
        pools = [node.output[0] for node in read_by.get(other, []) if node.op_type == "GlobalAveragePool"]
        if pools and _comes_from(gate, pools[0], made_by):
            return str(gate)
    return None


def _comes_from(name: str, source: str, made_by: dict[str, onnx.NodeProto]) -> bool:
    waiting, seen = [name], set()
    while waiting:
        name = waiting.pop()
        if name == source:
            return True
        if name in seen or name not in made_by:
            continue
        seen.add(name)
        if made_by[name].op_type != "GlobalAveragePool":  # no farther than the squeeze
            waiting += made_by[name].input
    return False
