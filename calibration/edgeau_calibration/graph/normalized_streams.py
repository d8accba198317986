"""Networks that normalize each row in front of each layer (transformers, ConvNeXt) carry a sum from block to block.

Nothing bounds that sum: a few channels grow far beyond the others, and the layer normalization in front of each layer brings them
back. In 8 bits with one scale those few leave nothing for the rest (Bondarenko et al., "Understanding and Overcoming the Challenges
of Efficient Transformer Quantization", EMNLP 2021, section 3). So such sums stay in float; the products beside them do not.
"""

from __future__ import annotations

import onnx

from edgeau_calibration.graph.view import GraphView

__all__ = ["normalizes_rows", "sums_of_streams"]


def normalizes_rows(graph: onnx.GraphProto) -> bool:
    """Tell whether a graph has layer normalization: as one operator, or as exporters wrote it before opset 17."""
    made_by = GraphView(graph).producer

    def by_root(node: onnx.NodeProto) -> bool:
        divisor = made_by.get(node.input[1]) if node.op_type == "Div" else None
        dividend = made_by.get(node.input[0]) if divisor is not None else None
        return (
            divisor is not None
            and divisor.op_type == "Sqrt"
            and dividend is not None
            and dividend.op_type == "Sub"
        )

    return any(node.op_type == "LayerNormalization" or by_root(node) for node in graph.node)


def sums_of_streams(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Names of the sums of a network that normalizes rows; none of any other network."""
    return tuple(node.name for node in graph.node if node.op_type == "Add") if normalizes_rows(graph) else ()
