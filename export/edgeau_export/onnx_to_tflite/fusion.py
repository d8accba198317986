"""Rewriting the ONNX graph where TFLite does with one operator what ONNX writes as several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeau_export.onnx_to_tflite.gelu import with_gelu
from edgeau_export.onnx_to_tflite.graph import Graph, Node
from edgeau_export.onnx_to_tflite.local_response import with_local_response

__all__ = ["fuse_operators", "with_implied_relus"]

# What can end in an activation, and the bounds of those that TFLite knows.
_ENDS_IN_ACTIVATION = ("Add", "AveragePool", "BatchNormalization", "Conv", "Gemm", "Mul", "Sub")
_ACTIVATIONS = {(0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1", (0.0, None): "RELU"}


def fuse_operators(graph: Graph) -> Graph:
    """The same computation in fewer nodes."""
    for step in (
        with_local_response,
        with_gelu,
        _without_splits,
        _with_batch_norm_in_conv,
        _with_activations,
        _with_flat_weights,
    ):
        graph = step(graph).without_dead_nodes()
    return graph


def _without_splits(graph: Graph) -> Graph:
    """Each part of a Split as a Slice of its own: XNNPACK runs those."""
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += _slices(node, graph) if node.operator == "Split" else [node]
    return replace(graph, nodes=nodes)


def _slices(node: Node, graph: Graph) -> list[Node]:
    axis = int(node.attributes.get("axis", 0))
    slices, start = [], 0
    for number, output in enumerate(node.outputs):
        end = start + graph.shapes[output][axis]
        names = [f"{output}/{part}" for part in ("begin", "end", "axis")]
        for name, value in zip(names, (start, end, axis), strict=True):
            graph.constants[name] = np.array([value], np.int64)
        slices.append(
            replace(
                node,
                operator="Slice",
                name=f"{node.name}/{number}",
                inputs=(node.inputs[0], *names),
                outputs=(output,),
                attributes={},
            )
        )
        start = end
    return slices


def _with_batch_norm_in_conv(graph: Graph) -> Graph:
    """A batch normalization right behind a convolution scales its weights."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    replaced: dict[str, Node | None] = {}
    for node in graph.nodes:
        if node.operator != "BatchNormalization":
            continue
        conv = by_output.get(node.inputs[0])
        if (
            conv is not None
            and conv.operator == "Conv"
            and _only_reader(graph, conv)
            and _has_floats(graph, conv)
        ):
            replaced[node.outputs[0]] = _folded(graph, conv, node)
            replaced[conv.outputs[0]] = None
    return _replaced(graph, replaced)


def _folded(graph: Graph, conv: Node, norm: Node) -> Node:
    constants = graph.constants
    scale, offset, mean, variance = (constants[name].astype(np.float64) for name in norm.inputs[1:5])
    factor = scale / np.sqrt(variance + norm.attributes.get("epsilon", 1e-5))
    weights = constants[conv.inputs[1]].astype(np.float64)
    bias = constants[conv.inputs[2]].astype(np.float64) if len(conv.inputs) > 2 else np.zeros(len(weights))
    names = (f"{norm.outputs[0]}/weights", f"{norm.outputs[0]}/bias")
    constants[names[0]] = (weights * factor[:, None, None, None]).astype(np.float32)
    constants[names[1]] = ((bias - mean) * factor + offset).astype(np.float32)
    return replace(conv, inputs=(conv.inputs[0], *names), outputs=norm.outputs)


def _with_activations(graph: Graph) -> Graph:
    """A bounded activation becomes the end of the operator before it."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    replaced: dict[str, Node | None] = {}
    for node in graph.nodes:
        activation = _activation(graph, node)
        before = by_output.get(node.inputs[0]) if activation else None
        if before is None or before.operator not in _ENDS_IN_ACTIVATION or not _only_reader(graph, before):
            continue
        attributes = {**before.attributes, "fused_activation": activation}
        replaced[node.outputs[0]] = replace(before, outputs=node.outputs, attributes=attributes)
        replaced[before.outputs[0]] = None
    return _replaced(graph, replaced)


def _activation(graph: Graph, node: Node) -> str | None:
    if node.operator == "Relu":
        return "RELU"
    if node.operator != "Clip" or any(name and name not in graph.constants for name in node.inputs[1:]):
        return None
    bounds = [float(graph.constants[name].reshape(-1)[0]) if name else None for name in node.inputs[1:]]
    low, high = (*bounds, None, None)[:2]
    return _ACTIVATIONS.get((low, high)) if low is not None else None


def _with_flat_weights(graph: Graph) -> Graph:
    """A picture that is flattened for a matrix product: its columns are put in NHWC's order, so that no pixel has to move."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    replaced: dict[str, Node | None] = {}
    for node in graph.nodes:
        flatten = by_output.get(node.inputs[0]) if node.operator == "Gemm" else None
        if flatten is None or flatten.operator != "Flatten" or not _only_reader(graph, flatten):
            continue
        shape = graph.shapes[flatten.inputs[0]]
        moves = len(shape) == 4 and flatten.attributes.get("axis", 1) == 1 and shape[2] * shape[3] > 1
        if moves and node.inputs[1] in graph.constants and node.attributes.get("transB", 0):
            weights = graph.constants[node.inputs[1]]
            name = f"{node.outputs[0]}/weights"
            order = weights.reshape(len(weights), *shape[1:]).transpose(0, 2, 3, 1)
            graph.constants[name] = np.ascontiguousarray(order.reshape(weights.shape))
            replaced[node.outputs[0]] = replace(node, inputs=(node.inputs[0], name, *node.inputs[2:]))
            attributes = {**flatten.attributes, "channels_last": 1}
            replaced[flatten.outputs[0]] = replace(flatten, attributes=attributes)
    return _replaced(graph, replaced)


def _replaced(graph: Graph, changed: dict[str, Node | None]) -> Graph:
    """The graph with some nodes, named by their output, exchanged or (None) left out."""
    nodes = [changed.get(node.outputs[0], node) for node in graph.nodes]
    return replace(graph, nodes=[node for node in nodes if node is not None])


def _only_reader(graph: Graph, node: Node) -> bool:
    readers = graph.consumers().get(node.outputs[0], [])
    return len(readers) == 1 and node.outputs[0] != graph.output


def _has_floats(graph: Graph, node: Node) -> bool:
    return all(name in graph.constants for name in node.inputs[1:] if name)


# What can answer below 0, and had a Relu behind it if its range says otherwise.
_SIGNED = ("Add", "Conv", "Gemm", "MatMul", "Mul", "Sub")


def with_implied_relus(graph: Graph) -> Graph:
    """The same graph with a Relu in front of every QuantizeLinear that stands for one."""
    by_output = {node.outputs[0]: node for node in graph.nodes}
    nodes: list[Node] = []
    for node in graph.nodes:
        source = by_output.get(node.inputs[0])
        if _starts_at_zero(node, graph) and source is not None and source.operator in _SIGNED:
            name = f"{node.inputs[0]}/positive/{len(nodes)}"
            graph.shapes[name] = graph.shapes[node.inputs[0]]
            nodes.append(Node("Relu", name, (node.inputs[0],), (name,)))
            node = replace(node, inputs=(name, *node.inputs[1:]))  # noqa: PLW2901 - the one that is kept
        nodes.append(node)
    return replace(graph, nodes=nodes)


def _starts_at_zero(node: Node, graph: Graph) -> bool:
    if node.operator != "QuantizeLinear" or len(node.inputs) < 3:
        return False
    zero_point = graph.constants[node.inputs[2]].reshape(-1)
    lowest = np.iinfo(zero_point.dtype.name).min
    return all(int(value) == lowest for value in zero_point.tolist())
