"""A quantization recipe's graph with its pairs where TensorRT wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeau_calibration.static_int8 import Quantization as RecipeQuantization
from edgeau_export.tensorrt.graph import Graph
from edgeau_export.tensorrt.placement import place, squeezed_maps
from edgeau_export.tensorrt.qdq import with_pairs
from edgeau_export.tensorrt.ranges import LEVELS, taken_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import onnx

__all__ = ["PlacedQuantization", "placed"]


def placed(
    model: onnx.ModelProto, original: onnx.ModelProto, largest: Mapping[str, float] | None = None
) -> onnx.ModelProto:
    """The Q/DQ graph for TensorRT, in float32.

    Args:
        model: Q/DQ graph of a recipe.
        original: the float graph that it was made from.
        largest: largest magnitude by tensor, for tensors that the recipe gave no pair but that want one here.
    """
    float_graph, quantization = taken_apart(model)
    graph = Graph(float_graph)
    wanted = squeezed_maps(graph, quantization)
    extra = {name: (largest or {}).get(name, 0.0) / LEVELS for name in wanted}
    known = {name: scale for name, scale in extra.items() if scale > 0}
    quantization = replace(quantization, activations={**known, **quantization.activations})
    placement = place(graph, quantization)
    _restore_constants(graph, Graph(original), set(quantization.weights) - placement.convolutions)
    return with_pairs(float_graph, placement, quantization.activations, quantization.weights)


def _restore_constants(graph: Graph, original: Graph, given_up: set[str]) -> None:
    """Give what the recipe made integer and TensorRT cannot its own weights back.

    Weights that were learned for integer inputs count on these inputs' being cut at the ends of their range; without that,
    an unusual face makes them answer nonsense.
    """
    known = {node.name: node for node in original.model.graph.node}
    for node in graph.model.graph.node:
        there = known.get(node.name)
        if there is None or there.op_type != node.op_type or node.output[0] not in given_up:
            continue
        for index, name in enumerate(node.input):
            if (
                name in graph.constants
                and index < len(there.input)
                and there.input[index] in original.constants
            ):
                _replace_constant(graph, node, index, original.constants[there.input[index]])


def _replace_constant(graph: Graph, node: onnx.NodeProto, index: int, value: onnx.TensorProto) -> None:
    """Under a name of its own: others may share the constant."""
    copy = graph.model.graph.initializer.add()
    copy.CopyFrom(value)
    copy.name = f"{node.output[0]}_constant_{index}"
    graph.constants[copy.name] = copy
    node.input[index] = copy.name


class PlacedQuantization(RecipeQuantization):
    """As its base, for an engine of TensorRT: a search over it measures what the board will run."""

    def graph(self, kept_float: Iterable[str] = ()) -> onnx.ModelProto:
        """The Q/DQ graph for TensorRT with the named nodes in float."""
        largest = {name: max(-low, high) for name, (low, high) in self.ranges.items()}
        return placed(super().graph(kept_float), self.float_graph, largest)
