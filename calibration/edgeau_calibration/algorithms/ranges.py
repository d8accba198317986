"""The range of every activation over the calibration crops, and the methods that choose it.

Each method gives the lowest and highest value of a tensor that is kept: ``minmax``; ``moving-average`` of the crops' extremes;
``percentile``; ``entropy``, least Kullback-Leibler divergence (Migacz, "8-bit inference with TensorRT", GTC 2017) by ONNX
Runtime's own search; ``mse``, least mean squared rounding error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization.calibrate import HistogramCollector

from edgeau.errors import CalibrationError
from edgeau_calibration.algorithms.activations import Activation
from edgeau_calibration.graph.view import GraphView

__all__ = ["METHODS", "Range", "activation_names", "activation_ranges", "chosen_range", "read_through_silu"]


def activation_names(graph: onnx.GraphProto) -> list[str]:
    """Every tensor that a range is wanted for: the input and the output of every node."""
    return [graph.input[0].name, *(output for node in graph.node for output in node.output)]


def activation_ranges(
    graph: onnx.GraphProto,
    activations: Mapping[str, Activation],
    method: str,
    *,
    symmetric: bool,
    through_silu: bool,
) -> dict[str, Range]:
    """The range of each float tensor.

    Args:
        graph: float.
        activations: activations of its tensors, from :func:`edgeau_calibration.algorithms.activations.sampled_activations`.
        method: one of :data:`METHODS`.
        symmetric: zero point in the middle of each range.
        through_silu: errors in front of a SiLU are weighed behind it, where the method is ``mse``.

    Raises:
        CalibrationError: the method is not known.
    """
    silu = read_through_silu(graph) if through_silu else set()
    return {
        name: chosen_range(method, activation, symmetric=symmetric, silu=name in silu)
        for name, activation in activations.items()
    }


def read_through_silu(graph: onnx.GraphProto) -> set[str]:
    """Tensors x that are read by ``x * sigmoid(x)`` and nothing else."""
    view = GraphView(graph)
    return {name for name in view.readers if _is_silu(view.nodes_reading(name))}


def _is_silu(readers: list[onnx.NodeProto]) -> bool:
    if sorted(node.op_type for node in readers) != ["Mul", "Sigmoid"]:
        return False
    product, sigmoid = sorted(readers, key=lambda node: node.op_type)
    return sigmoid.output[0] in product.input


Range = tuple[float, float]

_BINS = 2048
# Shares of the full range that MSE tries for either end, and levels of an 8-bit integer.
_SHARES = np.concatenate([np.geomspace(0.02, 0.5, 16, endpoint=False), np.linspace(0.5, 1.0, 26)])
_LEVELS = 255
_TURNS = 2
_PERCENTILE = 99.99


def chosen_range(method: str, activation: Activation, *, symmetric: bool, silu: bool = False) -> Range:
    """The range of one tensor; it always holds 0.

    Args:
        method: one of :data:`METHODS`.
        activation: what the tensor held.
        symmetric: zero point in the middle of the range.
        silu: the tensor is read through ``x * sigmoid(x)`` only, so that ``mse`` weighs errors behind that function, where
            everything far below zero is nearly 0 and need not be told apart.

    Raises:
        CalibrationError: the method is not known.
    """
    if method not in METHODS:
        raise CalibrationError(f"ranges {method!r} are not known; known methods: {', '.join(METHODS)}")
    if method == "mse":
        low, high = _mse(activation, symmetric=symmetric, silu=silu)
    else:
        low, high = METHODS[method](activation)
    low, high = min(low, 0.0), max(high, 0.0)
    return (-max(-low, high), max(-low, high)) if symmetric else (low, high)


def _minmax(activation: Activation) -> Range:
    return activation.low, activation.high


def _moving_average(activation: Activation) -> Range:
    """Mean over the crops of their extremes, as ONNX Runtime's ``CalibMovingAverage``."""
    return float(np.mean(activation.lows)), float(np.mean(activation.highs))


def _percentile(activation: Activation) -> Range:
    outside = (100 - _PERCENTILE) / 2
    low, high = np.percentile(activation.values, (outside, 100 - outside))
    return float(low), float(high)


def _entropy(activation: Activation) -> Range:
    """Least Kullback-Leibler divergence, by ONNX Runtime's own search."""
    values = activation.values
    reach = max(abs(activation.low), abs(activation.high)) or 1.0
    counts, edges = np.histogram(values, _BINS, range=(-reach, reach))
    collector = HistogramCollector("entropy", False, _BINS, 128, None, None)
    histogram = (counts, edges.astype(np.float32), values.min(), values.max(), np.float32(reach))
    low, high = collector.get_entropy_threshold(histogram, 128)[:2]
    return max(float(low), activation.low), min(float(high), activation.high)


def _mse(activation: Activation, *, symmetric: bool = False, silu: bool = False) -> Range:
    """Least mean squared error of an 8-bit integer, over shares of the full range at either end; outliers left out.

    The ends are moved in turn: trying all pairs costs twenty times as much and finds ranges within a step of these.
    """
    activation = activation.without_outliers()
    low, high = min(activation.low, 0.0), max(activation.high, 0.0)
    if not high > low:
        return low, high
    counts, edges = np.histogram(activation.values, _BINS, range=(low, high))
    kept = counts > 0
    points, counts = ((edges[1:] + edges[:-1]) / 2)[kept], counts[kept]

    def best(candidates: list[Range]) -> Range:
        errors = [_error(points, counts, candidate, silu=silu) for candidate in candidates]
        return candidates[int(np.argmin(errors))]

    if symmetric:
        reach = max(-low, high)
        return best([(-reach * share, reach * share) for share in _SHARES])
    found = (low, high)
    for _ in range(_TURNS):
        if high > 0:
            found = best([(found[0], high * share) for share in _SHARES])
        if low < 0:
            found = best([(low * share, found[1]) for share in _SHARES])
    return found


def _error(points: NDArray[np.float64], counts: NDArray[np.int64], kept: Range, *, silu: bool) -> float:
    scale = (kept[1] - kept[0]) / _LEVELS
    offset = np.round(-kept[0] / scale)
    rounded = (np.clip(np.round(points / scale) + offset, 0, _LEVELS) - offset) * scale
    if silu:
        points, rounded = _silu(points), _silu(rounded)
    return float(np.dot(counts, (points - rounded) ** 2))


def _silu(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values / (1 + np.exp(np.minimum(-values, 80.0))))


METHODS: dict[str, Callable[[Activation], Range]] = {
    "minmax": _minmax,
    "moving-average": _moving_average,
    "percentile": _percentile,
    "entropy": _entropy,
    "mse": _mse,
}
