"""Calibrate: the range of every activation over the calibration crops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import TensorData, TensorsData

from edgeau_calibration.algorithms.activations import Activation
from edgeau_calibration.algorithms.range_search import Range, chosen_range
from edgeau_calibration.graph.subgraph import consumers
from edgeau_calibration.recipe import Recipe

__all__ = ["activation_names", "activation_ranges", "read_through_silu", "tensors_data"]

# A tensor that is zero throughout still needs a scale.
_LEAST = 1e-6


def activation_names(graph: onnx.GraphProto) -> list[str]:
    """Every tensor that a range is wanted for: the input and the output of every node."""
    return [graph.input[0].name, *(output for node in graph.node for output in node.output)]


def activation_ranges(
    graph: onnx.GraphProto, activations: Mapping[str, Activation], recipe: Recipe
) -> dict[str, Range]:
    """The range of each float tensor.

    Args:
        graph: float.
        activations: of its tensors, from :func:`edgeau_calibration.algorithms.activations.sampled_activations`.
        recipe: names the method and whether ranges are symmetric.
    """
    silu = read_through_silu(graph) if recipe.through_silu else set()
    return {
        name: chosen_range(
            recipe.ranges, activation, symmetric=recipe.symmetric_activations, silu=name in silu
        )
        for name, activation in activations.items()
    }


def read_through_silu(graph: onnx.GraphProto) -> set[str]:
    """Tensors x that are read by ``x * sigmoid(x)`` and nothing else."""
    return {name for name, nodes in consumers(graph).items() if _is_silu(nodes)}


def tensors_data(ranges: dict[str, Range]) -> TensorsData:
    """Ranges as ONNX Runtime's quantizer takes them."""
    return TensorsData(
        CalibrationMethod.MinMax,
        {
            name: TensorData(
                lowest=np.array(low, np.float32), highest=np.array(max(high, low + _LEAST), np.float32)
            )
            for name, (low, high) in ranges.items()
        },
    )


def _is_silu(readers: list[onnx.NodeProto]) -> bool:
    if sorted(node.op_type for node in readers) != ["Mul", "Sigmoid"]:
        return False
    product, sigmoid = sorted(readers, key=lambda node: node.op_type)
    return sigmoid.output[0] in product.input
