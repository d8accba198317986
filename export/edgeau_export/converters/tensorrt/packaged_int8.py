"""INT8 for TensorRT in a small file: what differs from a float network that lies beside it.

Its integers were fitted to symmetric pairs and mostly are the float weights' nearest ones, so that the differences take a
quarter of the room. File layout (``.npz``, no pickles), for every integer node N of the prepared float graph:

*   ``steps/N``: int8, the integers minus those nearest to the float weights, modulo 256;
*   ``scale/N``: float32 ``(K,)``, one per output channel;
*   ``bias/N``: float32 ``(K,)``, where it has one;
*   ``about``: JSON text: SHA-256 of the float file, scale by tensor with a pair, and what INT8 was measured to cost.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau._system.records import from_dict, to_dict
from edgeau.bundle.manifest import Accuracy, Calibration
from edgeau.errors import BundleError, UserError
from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.graph.quantizable_layers import WEIGHTED, quantized_weight
from edgeau_calibration.graph.view import GraphView, with_shapes
from edgeau_export.converters.tensorrt.placement import LEVELS, output_axis, place
from edgeau_export.converters.tensorrt.qdq import activation_scales, with_pairs
from edgeau_export.quantization.quantized_graph import QuantizedGraph

Arrays = Mapping[str, NDArray[Any]]

__all__ = ["FILE", "read_packaged", "write_packaged"]

FILE = "tensorrt_int8.npz"


def write_packaged(file: Path, int8: QuantizedGraph, graph: onnx.ModelProto, float_sha256: str) -> None:
    """Write INT8 that was measured.

    Args:
        file: to write, whole or not at all.
        int8: its graph is of :class:`edgeau_export.converters.tensorrt.placed.PlacedQuantization`.
        graph: the float network.
        float_sha256: SHA-256 of its file, hex.

    Raises:
        OutputError: the file cannot be written.
    """
    network = GraphView(prepare_graph(graph).graph)
    quantized = GraphView(int8.graph.graph)
    arrays: dict[str, NDArray[Any]] = {}
    for node in int8.graph.graph.node:
        where = quantized_weight(int8.graph.graph, node) if node.op_type in WEIGHTED else None
        if where is None:
            continue
        scale = np.asarray(quantized.value(where.scale), np.float32)
        steps = _nearest(quantized.value(where.values), scale, output_axis(node))
        own = network.value(network.producer[node.output[0]].input[1])
        arrays[f"steps/{node.name}"] = steps - _nearest(own, scale, output_axis(node))
        arrays[f"scale/{node.name}"] = scale
        if where.bias is not None:
            arrays[f"bias/{node.name}"] = np.asarray(quantized.value(where.bias), np.float32)
    about = {
        "float_sha256": float_sha256,
        "activations": activation_scales(int8.graph),
        "calibration": to_dict(int8.calibration),
        "thresholds": int8.thresholds,
        "fused_thresholds": int8.fused_thresholds,
        "accuracy": None if int8.accuracy is None else to_dict(int8.accuracy),
        "network_accuracy": None if int8.network_accuracy is None else to_dict(int8.network_accuracy),
    }
    content = io.BytesIO()
    np.savez_compressed(content, about=np.array(json.dumps(about)), **arrays)
    write_whole(file, content.getvalue())


def read_packaged(file: Path, graph: onnx.ModelProto, float_sha256: str) -> QuantizedGraph:
    """The same INT8 again.

    Args:
        file: from :func:`write_packaged`.
        graph: the float network.
        float_sha256: SHA-256 of its file, hex.

    Raises:
        BundleError: the file is damaged, or was made for another float network.
    """
    try:
        arrays = read_npz(file, ("about",), SMALL)
        about = json.loads(str(arrays.pop("about")))
        if about["float_sha256"] != float_sha256:
            raise BundleError("it was made for another float network")
        return QuantizedGraph(
            graph=_graph(prepare_graph(graph), graph.metadata_props, about["activations"], arrays),
            calibration=from_dict(Calibration, about["calibration"], "calibration"),
            thresholds=about["thresholds"],
            fused_thresholds=about["fused_thresholds"],
            accuracy=_accuracy(about, "accuracy"),
            network_accuracy=_accuracy(about, "network_accuracy"),
            packaged=True,
        )
    except (KeyError, TypeError, ValueError, UserError) as error:
        raise BundleError(f"{file} holds no INT8 of this network ({error}); install edgeau again") from error


def _graph(
    network: onnx.ModelProto, metadata: Any, activations: Mapping[str, float], arrays: Arrays
) -> onnx.ModelProto:
    graph = GraphView(with_shapes(network).graph)
    chosen = {node.output[0]: node for node in network.graph.node if f"steps/{node.name}" in arrays}
    placement = place(graph, chosen, activations)
    scales = {output: arrays[f"scale/{chosen[output].name}"] for output in placement.convolutions}
    result = with_pairs(network, placement, activations, scales)
    view = GraphView(result.graph)
    for output in placement.convolutions:
        node, axis = chosen[output], output_axis(chosen[output])
        scale = scales[output]
        integers = _nearest(graph.value(node.input[1]), scale, axis) + arrays[f"steps/{node.name}"]
        view.set_value(node.input[1], integers.astype(np.float32) * _along(scale, integers.ndim, axis))
        if f"bias/{node.name}" in arrays:
            view.set_value(node.input[2], arrays[f"bias/{node.name}"])
    del result.metadata_props[:]
    result.metadata_props.extend(metadata)
    return result


def _nearest(weights: NDArray[Any], scale: NDArray[np.float32], axis: int) -> NDArray[np.int8]:
    """The integers nearest to float weights; division and rounding are exact to the bit on every machine."""
    rounded = np.round(np.asarray(weights, np.float32) / _along(scale, weights.ndim, axis))
    return np.asarray(np.clip(rounded, -LEVELS, LEVELS), np.int8)


def _along(scale: NDArray[np.float32], dimensions: int, axis: int) -> NDArray[np.float32]:
    """Shaped to multiply weights whose output channels lie along an axis."""
    shape = [1] * dimensions
    shape[axis] = -1
    return scale.reshape(shape)


def _accuracy(about: Mapping[str, Any], name: str) -> Accuracy | None:
    return None if about[name] is None else from_dict(Accuracy, about[name], name)
