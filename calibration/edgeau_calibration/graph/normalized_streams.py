"""Networks that normalize each row in front of each layer (transformers, ConvNeXt) carry a sum from block to block.

Nothing bounds that sum: a few channels grow far beyond the others, and the layer normalization in front of each layer brings them
back. In 8 bits with one scale those few leave nothing for the rest (Bondarenko et al., "Understanding and Overcoming the Challenges
of Efficient Transformer Quantization", EMNLP 2021, section 3). So such sums stay in float; the products beside them do not. A network
of both kinds (MobileViT) has residual sums of convolutions too, which the next convolution reads: those are sums like any other.
"""

from __future__ import annotations

import onnx

from edgeau_calibration.graph.view import GraphView

__all__ = ["normalizes_rows", "sums_of_streams"]

# What hands a sum on to its normalization: other sums, and what only moves or converts values.
_HANDS_ON = (
    "Add",
    "Cast",
    "Concat",
    "Flatten",
    "Identity",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
)


def normalizes_rows(graph: onnx.GraphProto) -> bool:
    """Tell whether a graph has layer normalization: as one operator, or as exporters wrote it before opset 17."""
    view = GraphView(graph)
    return any(node.op_type == "LayerNormalization" or _by_root(view, node) for node in graph.node)


def sums_of_streams(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Names of the sums of a network that normalizes rows, save residual sums of convolutions; none of any other network."""
    if not normalizes_rows(graph):
        return ()
    view = GraphView(graph)
    return tuple(
        node.name for node in graph.node if node.op_type == "Add" and not _of_convolutions(view, node)
    )


def _by_root(view: GraphView, node: onnx.NodeProto) -> bool:
    """Tell whether a node is the division of a layer normalization that is written as several operators."""
    if node.op_type != "Div":
        return False
    dividend, divisor = (_maker(view, name) for name in node.input)
    return dividend == "Sub" and divisor == "Sqrt"


def _maker(view: GraphView, tensor: str) -> str | None:
    """Operator that computes a tensor, behind conversions to another precision."""
    while view.made_by(tensor) == "Cast":
        tensor = view.producer[tensor].input[0]
    return view.made_by(tensor)


def _of_convolutions(view: GraphView, add: onnx.NodeProto) -> bool:
    """Tell whether a sum takes in what a convolution made, and ends at layers without being normalized on the way."""
    return any(_maker(view, name) == "Conv" for name in add.input) and not _is_normalized(view, add.output[0])


def _is_normalized(view: GraphView, tensor: str) -> bool:
    waiting, seen = [tensor], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for reader in view.nodes_reading(name):
            # The mean that is taken off, as older exporters wrote it.
            if reader.op_type in ("LayerNormalization", "Sub"):
                return True
            if reader.op_type in _HANDS_ON:
                waiting.extend(reader.output)
    return False
