"""Shapes of graphs that onnx alone cannot infer: ONNX Runtime's own operators, and initializers among the inputs.

``onnxruntime.quantization`` writes operators of the domain ``com.microsoft`` (``QLinearAdd``, ``QGemm``, ...), of which onnx knows
nothing, so that every shape behind the first of them would be lost. For the inference each stands as the operator of ONNX
that has the same shapes.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import helper

from edgeau_calibration.graph.view import with_shapes

__all__ = ["with_all_shapes"]

# Operator -> (ONNX's of the same shapes, which of its inputs are tensors and no scales or zero points).
_LIKE: dict[str, tuple[str, tuple[int, ...]]] = {
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Identity", (0,)),
    "QLinearLeakyRelu": ("Identity", (0,)),
    "QLinearSoftmax": ("Identity", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearReduceMean": ("ReduceMean", (0,)),
    "QLinearWhere": ("Where", (0, 1, 4)),
    "QGemm": ("Gemm", (0, 3)),
    "FusedConv": ("Conv", (0, 1)),
    "FusedGemm": ("Gemm", (0, 1)),
    "FusedMatMul": ("MatMul", (0, 1)),
    "BiasGelu": ("Identity", (0,)),
    "FastGelu": ("Identity", (0,)),
    "Gelu": ("Identity", (0,)),
    "QuickGelu": ("Identity", (0,)),
}
_CONCAT = "QLinearConcat"
# Attributes of those operators that ONNX's of the same name have not.
_OWN = ("alpha", "activation", "activation_params", "channels_last")


def with_all_shapes(model: onnx.ModelProto) -> onnx.GraphProto:
    """The graph of a model for one picture, with every shape that can be known; its nodes are the model's own.

    Args:
        model: any; left as it is.
    """
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    _drop_initializer_inputs(plain.graph)
    stand_in = onnx.ModelProto()
    stand_in.CopyFrom(plain)
    nodes = [_standard(node) for node in stand_in.graph.node]
    del stand_in.graph.node[:]
    stand_in.graph.node.extend(nodes)
    inferred = with_shapes(stand_in, batch=1).graph
    del inferred.node[:]
    inferred.node.extend(plain.graph.node)
    return inferred


def _drop_initializer_inputs(graph: onnx.GraphProto) -> None:
    """Older files list every weight among the inputs, where its first axis would be taken for the batch."""
    own = {item.name for item in graph.initializer}
    kept = [item for item in graph.input if item.name not in own]
    del graph.input[:]
    graph.input.extend(kept)


def _standard(node: onnx.NodeProto) -> onnx.NodeProto:
    if node.domain in ("", "ai.onnx"):
        return node
    if node.op_type == _CONCAT:  # scale and zero point of the result, then each tensor with its own
        return _made("Concat", list(node.input)[2::3], node)
    if node.op_type not in _LIKE:
        return node
    kind, places = _LIKE[node.op_type]
    names = list(node.input)
    return _made(kind, [names[place] for place in places if place < len(names)], node)


def _made(kind: str, inputs: list[str], node: onnx.NodeProto) -> onnx.NodeProto:
    made = helper.make_node(kind, inputs, list(node.output), node.name)
    made.attribute.extend(_attributes(node) if kind != "Identity" else ())
    return made


def _attributes(node: onnx.NodeProto) -> Iterator[onnx.AttributeProto]:
    return (attribute for attribute in node.attribute if attribute.name not in _OWN)
