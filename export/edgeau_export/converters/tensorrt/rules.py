"""Rules that an ONNX file must keep so that TensorRT 8.5, 10 and 11 read it, run its pairs as integers and fuse around them.

Each rule is a function from a graph to the faults that it finds; :func:`faults` runs all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import TensorProto

from edgeau.errors import TargetError
from edgeau.runtimes.table import runtime_named
from edgeau_calibration.graph.normalized_streams import sums_of_streams
from edgeau_calibration.graph.view import GraphView
from edgeau_export.converters.tensorrt.placement import INTEGER_LAYERS, can_be_integer, is_gate, output_axis

__all__ = ["RULES", "faults", "refuse_unless_fit"]

_PAIR = ("QuantizeLinear", "DequantizeLinear")
# Operators of TensorRT 8.5's support matrix that take INT8, and the sums and products that are fused with them. MatMul is not in
# that matrix, and is run in INT8 where it has pairs all the same (NVIDIA/TensorRT issues 3266, 3417 and 4322).
_TAKES_INTEGERS = (
    "Add",
    "AveragePool",
    "Conv",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Mul",
    "ReduceMean",
)
_TYPES = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64)
_ACTIVATIONS = ("Clip", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Sigmoid")
_INTEGER_OPERATORS = (
    "ConvInteger",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QGemm",
    "QLinearConv",
    "QLinearMatMul",
)


def faults(model: onnx.ModelProto) -> list[str]:
    """Everything that breaks a rule; empty for a file that may be handed out."""
    graph = GraphView(model.graph)
    return [*operators(model), *(fault for rule in RULES for fault in rule(graph))]


def refuse_unless_fit(model: onnx.ModelProto, file: str) -> None:
    """The gate.

    Raises:
        TargetError: a rule is broken; the message lists how.
    """
    found = faults(model)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise TargetError(f"{file} cannot be built by TensorRT 8.5 to 11: {'; '.join(found[:3])}{more}")


def operators(model: onnx.ModelProto) -> Iterator[str]:
    """ONNX's own operators of a set that 8.5 knows; none that holds integers itself."""
    newest = runtime_named("tensorrt").opsets[1]
    for item in model.opset_import:
        if item.domain not in ("", "ai.onnx"):
            yield f"operators of {item.domain}"
        elif item.version > newest:
            yield f"operator set {item.version}, TensorRT 8.5 reads up to {newest}"
    for node in model.graph.node:
        if node.op_type in _INTEGER_OPERATORS:
            yield f"{node.name or node.op_type} is {node.op_type}; TensorRT wants Q/DQ pairs around float operators"


def types(graph: GraphView) -> Iterator[str]:
    """Constants in types that 8.5 reads; float32 in and out, every shape fixed."""
    for name, constant in graph.constants.items():
        if constant.data_type not in _TYPES:
            yield f"constant {name} has type {TensorProto.DataType.Name(constant.data_type)}"
    for item in (*graph.graph.input, *graph.graph.output):
        kind = item.type.tensor_type
        if kind.elem_type != TensorProto.FLOAT:
            yield f"{item.name} is not float32"
        if any(size.dim_value < 1 for size in kind.shape.dim):
            yield f"{item.name} has a size that is not fixed"


def symmetric(graph: GraphView) -> Iterator[str]:
    """Three inputs: zero points are given, int8, zero, and as many as there are scales."""
    for node in _pairs(graph):
        if len(node.input) != 3 or node.input[2] not in graph.constants:
            yield f"{node.name} has no constant zero point"
            continue
        zero = graph.value(node.input[2])
        if zero.dtype != np.int8:
            yield f"{node.name} has a zero point of type {zero.dtype}"
        if np.any(zero):
            yield f"{node.name} is not symmetric: its zero point is not 0"
        if node.input[1] in graph.constants and zero.size != graph.value(node.input[1]).size:
            yield f"{node.name} has {zero.size} zero points, not one a scale"


def scales(graph: GraphView) -> Iterator[str]:
    """Constant float32 scales above zero: TensorRT 8 reads their bytes as float32 whatever their type."""
    for node in _pairs(graph):
        if node.input[1] not in graph.constants:
            yield f"{node.name} has a scale that is computed"
            continue
        scale = graph.value(node.input[1])
        if scale.dtype != np.float32:
            yield f"{node.name} has a scale of type {scale.dtype}"
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            yield f"{node.name} has a scale that is not above 0"


def whole_pairs(graph: GraphView) -> Iterator[str]:
    """A Q is read by DQs only, a DQ reads a Q only, and both have the same scales and axis."""
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            readers = graph.kinds_reading(node.output[0])
            if readers != {"DequantizeLinear"}:
                yield f"{node.name} is read by {', '.join(sorted(readers)) or 'nothing'}"
        if node.op_type == "DequantizeLinear":
            other = graph.producer.get(node.input[0])
            if other is None or other.op_type != "QuantizeLinear":
                yield f"{node.name} stands without a QuantizeLinear before it"
            elif list(other.input[1:]) != list(node.input[1:]) or _axis(other) != _axis(node):
                yield f"{node.name} has other scales than its QuantizeLinear"


def axes(graph: GraphView) -> Iterator[str]:
    """One scale an activation; of weights one a channel, along the axis of the output channels."""
    for node in graph.nodes:
        if node.op_type != "QuantizeLinear" or node.input[1] not in graph.constants:
            continue
        count = graph.value(node.input[1]).size
        if node.input[0] not in graph.constants:
            if count != 1:
                yield f"{node.name} has {count} scales for an activation"
            continue
        axis = _weights_axis(graph, node)
        channels = graph.constants[node.input[0]].dims[axis]
        if count != channels or _axis(node) != axis:
            yield f"{node.name} has {count} scales on axis {_axis(node)}, not {channels} on axis {axis}"


def weights(graph: GraphView) -> Iterator[str]:
    """A convolution has pairs on data and weights or on neither, float weights, and no pair on its bias."""
    for node in graph.nodes:
        if node.op_type not in INTEGER_LAYERS:
            continue
        behind = [graph.made_by(name) == "DequantizeLinear" for name in node.input]
        if behind[0] != behind[1]:
            yield f"{node.name} has a pair on its {'data' if behind[0] else 'weights'} alone"
        if len(behind) > 2 and behind[2]:
            yield f"{node.name} has a pair on its bias"
        if behind[1]:
            source = graph.producer[graph.producer[node.input[1]].input[0]].input[0]
            if source not in graph.constants or graph.constants[source].data_type != TensorProto.FLOAT:
                yield f"{node.name} has weights that are not float32 before their pair"


def integer_readers(graph: GraphView) -> Iterator[str]:
    """Operators that TensorRT cannot run as integers read no pair."""
    for node in graph.nodes:
        if node.op_type in _PAIR or not any(graph.made_by(name) == "DequantizeLinear" for name in node.input):
            continue
        if node.op_type not in _TAKES_INTEGERS:
            yield f"{node.name} is {node.op_type}, which takes no integers"
        if node.op_type == "Conv" and not _can_be_integer_behind_pairs(graph, node):
            yield f"{node.name} has groups that TensorRT has no integer kernels for"


def fused_activations(graph: GraphView) -> Iterator[str]:
    """No pair between a convolution and its activation, SiLU's product included."""
    for node in graph.nodes:
        if node.op_type != "QuantizeLinear":
            continue
        made_by = graph.made_by(node.input[0])
        others = graph.kinds_reading(node.input[0]) - {"QuantizeLinear"}
        behind = graph.kinds_reading(node.output[0])
        activated = {
            reader
            for dequantize, _ in graph.readers.get(node.output[0], [])
            for reader in graph.kinds_reading(dequantize.output[0])
        }
        if made_by == "Conv" and behind and (activated | others) & set(_ACTIVATIONS):
            yield f"{node.name} stands between a convolution and its activation"
        if made_by == "Sigmoid" and "Mul" in activated and not is_gate(graph, node.input[0]):
            yield f"{node.name} stands inside a SiLU"


def fused_sums(graph: GraphView) -> Iterator[str]:
    """In a residual sum beside an integer convolution, the skipping input has a pair, the convolution's own has none.

    A sum that rows are normalized from is without bounds: TensorRT adds it in half precision, beside the convolution.
    """
    unbounded = set(sums_of_streams(graph.graph))
    for node in graph.nodes:
        if node.op_type != "Add" or node.name in unbounded:
            continue
        direct = [_is_integer_conv(graph, name) for name in node.input]
        paired = [graph.made_by(name) == "DequantizeLinear" for name in node.input]
        if any(direct) and not any(paired) and all(name not in graph.constants for name in node.input):
            yield f"{node.name} adds to an integer convolution what has no pair"
        if all(paired):
            yield f"{node.name} has pairs on both inputs, so that no convolution takes the sum in"


RULES: tuple[Callable[[GraphView], Iterator[str]], ...] = (
    types,
    symmetric,
    scales,
    whole_pairs,
    axes,
    weights,
    integer_readers,
    fused_activations,
    fused_sums,
)


def _pairs(graph: GraphView) -> Iterator[onnx.NodeProto]:
    return (node for node in graph.nodes if node.op_type in _PAIR)


def _axis(node: onnx.NodeProto) -> int:
    return next((int(item.i) for item in node.attribute if item.name == "axis"), 1)


def _weights_axis(graph: GraphView, quantize: onnx.NodeProto) -> int:
    """Find the axis of the output channels, as the operator behind the pair has them."""
    for dequantize, _ in graph.readers.get(quantize.output[0], []):
        for node, _ in graph.readers.get(dequantize.output[0], []):
            return output_axis(node)
    return 0


def _is_integer_conv(graph: GraphView, tensor: str) -> bool:
    node = graph.producer.get(tensor)
    return node is not None and node.op_type == "Conv" and graph.made_by(node.input[1]) == "DequantizeLinear"


def _can_be_integer_behind_pairs(graph: GraphView, convolution: onnx.NodeProto) -> bool:
    weight = convolution.input[1]
    source = graph.producer[graph.producer[weight].input[0]].input[0] if weight in graph.producer else weight
    return source in graph.constants and can_be_integer(graph, convolution, source)
