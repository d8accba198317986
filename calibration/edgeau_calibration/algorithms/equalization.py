"""Equalization that is right for SiLU: channels of a tensor are brought to like ranges, and the float answer stays as it was.

An activation has one scale for all its channels, so one channel that reaches far takes the others' precision. Where a
channel's factor can be moved exactly (:mod:`edgeau_calibration.graph.homogeneous_segments`), the layer that writes it is divided by
the factor and the layers that read it are multiplied with it. A squeeze-and-excitation's product is divided through its
gate: one multiplication a channel, not one a pixel.

The factor is ``sqrt(reach of the activation / reach of the weights that read it)``, half of the burden for either side
(Xiao et al., SmoothQuant, arXiv 2211.10438, equation 4 with alpha 1/2). Two things are ours: a weight's reach is counted
relative to the largest of its output channel, since these have scales of their own; and factors are powers of two, so that
no float rounding changes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edgeau._system.progress import progress_bar
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.graph.homogeneous_segments import HomogeneousSegment, gate_of, homogeneous_segments
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.subgraph import with_outputs
from edgeau_calibration.graph.view import GraphView

__all__ = ["equalize"]

# Powers of two that a channel may differ from the middle one; a channel that is silent on the crops may speak on others.
_FARTHEST = 4
_LEAST = 1e-12


def equalize(model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec) -> onnx.ModelProto:
    """A copy that answers the same, with channels of like ranges wherever that can be exact.

    Args:
        model: from :func:`edgeau_calibration.graph.prepare.prepare_graph`.
        crops: to measure channels on, uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    segments = homogeneous_segments(model.graph)
    if not segments:
        return result
    reach = _channel_reach(model, crops, spec, [name for segment in segments for name in segment.tensors])
    view = GraphView(result.graph)
    for segment in segments:
        if len({reach[name].size for name in segment.tensors}) == 1:  # a sum may spread one channel over many
            _apply(view, segment, _factors(segment, reach, view))
    onnx.checker.check_model(result)
    return result


def _channel_reach(
    model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, names: list[str]
) -> dict[str, NDArray[np.float64]]:
    """Largest magnitude of each channel ``(C,)``, as the mean over the crops: one broken crop weighs as much as any other."""
    session = open_model(with_outputs(model, names))
    preprocessor, sums = Preprocessor(spec), dict.fromkeys(names, np.zeros(()))
    entry = model.graph.input[0].name
    for crop in progress_bar(crops, desc="channels", unit="crop"):
        for name, values in zip(names, session.run(names, {entry: preprocessor.batch([crop])}), strict=True):
            sums[name] = sums[name] + np.abs(values).reshape(values.shape[1], -1).max(axis=1)
    return {name: value / len(crops) for name, value in sums.items()}


def _factors(
    segment: HomogeneousSegment, reach: Mapping[str, NDArray[np.float64]], view: GraphView
) -> NDArray[np.float64]:
    """Choose the divisor of each channel, ``(C,)``: powers of two around 1."""
    of_values = np.max([reach[name] / max(reach[name].max(), _LEAST) for name in segment.tensors], axis=0)
    dense = [_weight_reach(node, view) for node in segment.readers if _inputs_of_one(node, view) > 1]
    logs = np.log2(np.maximum(of_values, _LEAST))
    if dense:  # a depthwise layer has a scale for each channel anyway
        logs = (logs - np.log2(np.maximum(np.max(dense, axis=0), _LEAST))) / 2
    middle = np.median(logs)
    return np.asarray(2.0 ** np.clip(np.round(logs - middle), -_FARTHEST, _FARTHEST))


def _weight_reach(node: onnx.NodeProto, view: GraphView) -> NDArray[np.float64]:
    """Measure how far the weights of each input channel reach within their output channel, ``(C,)``, up to 1."""
    weights = np.abs(_grouped(node, view))
    rows = np.maximum(weights.max(axis=(2, 3), keepdims=True), _LEAST)
    return np.asarray((weights / rows).max(axis=(1, 3)).ravel())


def _apply(view: GraphView, segment: HomogeneousSegment, factors: NDArray[np.float64]) -> None:
    for node in segment.writers:
        for name in [name for name in node.input[1:] if name]:
            values = np.asarray(view.value(name), np.float64)
            divided = values / factors.reshape(-1, *[1] * (values.ndim - 1))
            view.set_value(name, divided.astype(view.value(name).dtype))
    for node in segment.readers:
        weights = _grouped(node, view)
        groups, _, inputs, _ = weights.shape
        old = view.value(node.input[1])
        scaled = weights * factors.reshape(groups, 1, inputs, 1)
        view.set_value(node.input[1], scaled.reshape(old.shape).astype(old.dtype))
    for product in segment.gated:
        _divide_gate(view.graph, product.name, factors)


def _divide_gate(graph: onnx.GraphProto, product: str, factors: NDArray[np.float64]) -> None:
    """A product behind the gate, in front of the one with the picture."""
    node = next(node for node in graph.node if node.name == product)
    gate = gate_of(node, GraphView(graph))
    assert gate is not None
    constant, divided = f"{gate}_factors", f"{gate}_equalized"
    values = (1 / factors).astype(np.float32).reshape(1, -1, 1, 1)
    graph.initializer.append(numpy_helper.from_array(values, constant))
    place = next(index for index, other in enumerate(graph.node) if gate in other.output)
    graph.node.insert(place + 1, helper.make_node("Mul", [gate, constant], [divided], f"{product}_equalized"))
    node = next(node for node in graph.node if node.name == product)
    node.input[list(node.input).index(gate)] = divided
    for item in graph.value_info:
        if item.name == gate:
            graph.value_info.append(onnx.ValueInfoProto(name=divided, type=item.type))
            break


def _grouped(node: onnx.NodeProto, view: GraphView) -> NDArray[np.float64]:
    """Weights as ``(groups, outputs of one, inputs of one, kernel)``."""
    weights = np.asarray(view.value(node.input[1]), np.float64)
    groups = next((int(item.i) for item in node.attribute if item.name == "group"), 1)
    return weights.reshape(groups, len(weights) // groups, weights.shape[1], -1)


def _inputs_of_one(node: onnx.NodeProto, view: GraphView) -> int:
    """Input channels that one output channel reads."""
    return view.value(node.input[1]).shape[1]
