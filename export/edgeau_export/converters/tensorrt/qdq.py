"""Setting Q/DQ pairs into a float graph: symmetric int8, one scale an activation, one a channel of weights, all explicit.

TensorRT 8's parser wants three inputs of every Q and DQ, a zero point that is zero and as large as the scale, scales in
float32 (it reads their bytes as such, whatever they are), and weights that are floats with a whole pair behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from edgeau_calibration.graph.view import GraphView, drop_unread
from edgeau_export.converters.tensorrt.placement import Placement, output_axis

__all__ = ["activation_scales", "with_pairs"]


def with_pairs(
    model: onnx.ModelProto,
    placement: Placement,
    activations: Mapping[str, float],
    weights: Mapping[str, NDArray[np.float32]],
) -> onnx.ModelProto:
    """The Q/DQ copy of a float graph.

    Args:
        model: float.
        placement: where pairs go.
        activations: scale by tensor.
        weights: scales ``(K,)`` by first output of the convolution.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    pairs = _Pairs(copy)
    graph = GraphView(copy.graph)
    for tensor, readers in placement.inputs.items():
        output = pairs.add(tensor, np.asarray(activations[tensor], np.float32), None)
        for reader, index in readers:
            graph.producer[reader].input[index] = output
    for convolution in placement.convolutions:
        node = graph.producer[convolution]
        scales = np.maximum(weights[convolution], np.finfo(np.float32).tiny)
        node.input[1] = pairs.add(node.input[1], scales.astype(np.float32), output_axis(node))
    pairs.insert()
    drop_unread(copy)
    return copy


def activation_scales(model: onnx.ModelProto) -> dict[str, float]:
    """Scale of every tensor with a pair, constants left out, in the graph's order."""
    graph = GraphView(model.graph)
    return {
        node.input[0]: float(graph.value(node.input[1]))
        for node in model.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in graph.constants
    }


class _Pairs:
    """Collects the nodes of pairs and sets them where their tensor is made."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._after: dict[str, list[onnx.NodeProto]] = {}

    def add(self, tensor: str, scale: NDArray[np.float32], axis: int | None) -> str:
        """A pair on a tensor; returns the name of what comes out of it."""
        names = f"{tensor}_scale", f"{tensor}_zero_point"
        values: tuple[NDArray[Any], ...] = (scale, np.zeros(scale.shape, np.int8))
        self._model.graph.initializer.extend(
            numpy_helper.from_array(value, name) for value, name in zip(values, names, strict=True)
        )
        options: dict[str, Any] = {} if axis is None else {"axis": axis}
        integer, output = f"{tensor}_quantized", f"{tensor}_dequantized"
        self._after[tensor] = [
            helper.make_node(
                "QuantizeLinear", [tensor, *names], [integer], name=f"{tensor}_QuantizeLinear", **options
            ),
            helper.make_node(
                "DequantizeLinear", [integer, *names], [output], name=f"{tensor}_DequantizeLinear", **options
            ),
        ]
        return output

    def insert(self) -> None:
        """In topological order: pairs of constants and inputs first, each other one behind the node that makes its tensor."""
        made = {output for node in self._model.graph.node for output in node.output}
        nodes = [node for tensor, pair in self._after.items() if tensor not in made for node in pair]
        for node in self._model.graph.node:
            nodes.append(node)
            nodes.extend(new for output in node.output for new in self._after.get(output, []))
        ordered = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del self._model.graph.node[:]
        self._model.graph.node.extend(ordered)
