"""A recipe's quantization with its pairs where TensorRT wants them, and its weights learned for pairs that stand there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau_calibration.algorithms.ranges import Range
from edgeau_calibration.graph.view import GraphView, with_shapes
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_export.converters.tensorrt.placement import INTEGER_LAYERS, LEVELS, output_axis, place
from edgeau_export.converters.tensorrt.qdq import with_pairs

__all__ = ["PlacedQuantization", "place_pairs"]


def place_pairs(
    model: onnx.ModelProto, ranges: Mapping[str, Range], kept_float: Iterable[str] = ()
) -> onnx.ModelProto:
    """The Q/DQ graph for TensorRT, in float32, with weights rounded as they are.

    Args:
        model: float, every node with a name.
        ranges: lowest and highest value of each tensor; the symmetric range that holds both is taken.
        kept_float: names of nodes that stay in float.
    """
    graph = GraphView(with_shapes(model).graph)
    given_up = set(kept_float)
    scales = {name: max(-low, high) / LEVELS for name, (low, high) in ranges.items()}
    wanted = {
        node.output[0]
        for node in model.graph.node
        if node.op_type in INTEGER_LAYERS
        and node.input[1] in graph.constants
        and not (
            node.op_type == "MatMul" and len(graph.constants[node.input[1]].dims) > 2
        )  # a matrix for each place
        and node.name not in given_up
    }
    placement = place(graph, wanted, scales)
    weights = {name: _weight_scales(graph, graph.producer[name]) for name in placement.convolutions}
    return with_pairs(model, placement, scales, weights)


class PlacedQuantization(StaticQuantizer):
    """A quantization for engines of TensorRT: a search over it measures what the board will run.

    Weights are learned in this very form. Weights that were learned behind other pairs do not serve here: they make up for
    the rounding and the cut ends of just those pairs.
    """

    def _unlearned(self, kept_float: Iterable[str]) -> onnx.ModelProto:
        return place_pairs(self.float_graph, self.ranges, kept_float)


def _weight_scales(graph: GraphView, node: onnx.NodeProto) -> NDArray[np.float32]:
    """Per output channel, that of the largest weight, ``(K,)``."""
    weights = np.moveaxis(np.abs(graph.value(node.input[1])), output_axis(node), 0)
    return np.asarray(weights.reshape(len(weights), -1).max(axis=1) / LEVELS, np.float32)
