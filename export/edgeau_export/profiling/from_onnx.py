"""Profiles of ONNX files, float or Q/DQ, from inferred shapes."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path

import onnx

from edgeau.errors import InputError
from edgeau_calibration.graph.macs import (
    INTEGER_PRODUCTS,
    OTHER_PRODUCTS,
    PRODUCTS,
    integer_products,
    macs_of,
    tensor_shapes,
)
from edgeau_export.profiling.lifetimes import peak_bytes_of_onnx
from edgeau_export.profiling.model_profile import Layer, ModelProfile
from edgeau_export.profiling.shape_inference import with_all_shapes
from edgeau_export.source_network.weight_files import weights_bytes

__all__ = ["onnx_precision", "profile_of_onnx", "profile_of_onnx_model"]

# Element-wise operators, pooling, normalisation and movement: no multiply-accumulates by convention. ONNX's, then ONNX Runtime's.
_WITHOUT = frozenset(
    [
        "Abs",
        "Acos",
        "Acosh",
        "Add",
        "And",
        "ArgMax",
        "ArgMin",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "AveragePool",
        "BatchNormalization",
        "BitShift",
        "Cast",
        "CastLike",
        "Ceil",
        "Celu",
        "Clip",
        "Compress",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Cos",
        "Cosh",
        "CumSum",
        "DepthToSpace",
        "DequantizeLinear",
        "Div",
        "Dropout",
        "DynamicQuantizeLinear",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "EyeLike",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Gelu",
        "GlobalAveragePool",
        "GlobalLpPool",
        "GlobalMaxPool",
        "Greater",
        "GreaterOrEqual",
        "GridSample",
        "GroupNormalization",
        "HardSigmoid",
        "HardSwish",
        "Hardmax",
        "Identity",
        "InstanceNormalization",
        "IsInf",
        "IsNaN",
        "LRN",
        "LayerNormalization",
        "LeakyRelu",
        "Less",
        "LessOrEqual",
        "Log",
        "LogSoftmax",
        "LpNormalization",
        "LpPool",
        "Max",
        "MaxPool",
        "MaxRoiPool",
        "MaxUnpool",
        "Mean",
        "MeanVarianceNormalization",
        "Min",
        "Mish",
        "Mod",
        "Mul",
        "Neg",
        "NonMaxSuppression",
        "NonZero",
        "Not",
        "OneHot",
        "Or",
        "PRelu",
        "Pad",
        "Pow",
        "QuantizeLinear",
        "Range",
        "Reciprocal",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "Relu",
        "Reshape",
        "Resize",
        "ReverseSequence",
        "RMSNormalization",
        "RoiAlign",
        "Round",
        "Scatter",
        "ScatterElements",
        "ScatterND",
        "Selu",
        "Shape",
        "Shrink",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Size",
        "Slice",
        "Softmax",
        "Softplus",
        "Softsign",
        "SpaceToDepth",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Sum",
        "Swish",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "Tile",
        "TopK",
        "Transpose",
        "Trilu",
        "Unique",
        "Unsqueeze",
        "Upsample",
        "Where",
        "Xor",
        "BiasGelu",
        "FastGelu",
        "QuickGelu",
        "QLinearAdd",
        "QLinearAveragePool",
        "QLinearConcat",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearMul",
        "QLinearReduceMean",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QLinearWhere",
        "SimplifiedLayerNormalization",
        "SkipLayerNormalization",
    ]
)


def profile_of_onnx(path: Path) -> ModelProfile:
    """The profile of an ONNX file.

    Raises:
        InputError: the file is missing or is not an ONNX file, or its input has no fixed shape.
        CheckpointError: it does not say in which files its weights lie.
    """
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and onnx raise several, and UnicodeDecodeError of names
        raise InputError(f"{path} cannot be read as an ONNX file: {error}") from error
    return profile_of_onnx_model(model, name=path.name, file_bytes=weights_bytes(path))


def onnx_precision(path: Path, profile: ModelProfile) -> str:
    """The precision that an ONNX file computes in, as :data:`edgeau.runtimes.precision.PRECISIONS` calls it.

    Args:
        path: the file.
        profile: of it, from :func:`profile_of_onnx`.
    """
    graph = onnx.load(path, load_external_data=False).graph
    if profile.integer_share:
        ranges_at_run_time = any(node.op_type == "DynamicQuantizeLinear" for node in graph.node)
        return "dynamic" if ranges_at_run_time else "int8"
    half = any(
        item.data_type == onnx.TensorProto.FLOAT16 and prod(item.dims) > 1 for item in graph.initializer
    )
    return "fp16" if half else "fp32"


def profile_of_onnx_model(
    model: onnx.ModelProto, *, name: str, file_bytes: int | None = None
) -> ModelProfile:
    """The profile of an ONNX graph.

    Args:
        model: with one input whose first axis is the batch.
        name: what was asked for.
        file_bytes: size of the file it came from.

    Raises:
        InputError: the graph has no input, or one without a fixed shape.
    """
    graph = with_all_shapes(model)
    if not graph.input:
        raise InputError(f"{name} has no input, so it is not a network of pictures")
    shapes = _Shapes(graph)
    weights = {tensor.name: prod(tensor.dims) for tensor in graph.initializer}
    owned = _owners(graph, weights)
    integer = integer_products(graph)
    layers = tuple(
        _layer(node, shapes, owned, integer)
        for node in graph.node
        if node.op_type not in ("Constant", "Identity")
    )
    kinds = Counter(node.op_type for node in graph.node)
    known = {*PRODUCTS, *INTEGER_PRODUCTS, *OTHER_PRODUCTS}
    unknown = Counter({kind: n for kind, n in kinds.items() if kind not in _WITHOUT | known})
    # A product of tensors whose shapes nobody knows has no count, and that must not pass for none.
    unknown.update(
        f"{node.op_type}, whose shape is not known"
        for node in graph.node
        if node.op_type in known and not shapes.knows(node)
    )
    return ModelProfile(
        name=name,
        title=graph.name or name,
        counted=f"shapes inferred by onnx {onnx.__version__}, formulas of edgeau",
        input_shape=shapes.of(graph.input[0].name),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
        peak_bytes=peak_bytes_of_onnx(graph, shapes.bytes),
        file_bytes=file_bytes,
        layers=layers,
        without_macs={kind: n for kind, n in sorted(kinds.items()) if kind in _WITHOUT},
        unknown=dict(sorted(unknown.items())),
        notes=("batch normalisation is folded into the convolutions where the exporter did so",),
    )


class _Shapes:
    """Shape and size of every tensor of a graph whose shape could be inferred."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.known = tensor_shapes(graph)
        self._widths = {
            value.name: onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).itemsize
            for value in (*graph.input, *graph.value_info, *graph.output)
            if value.name in self.known
        }
        if graph.input[0].name not in self.known:
            raise InputError("the graph's input has no fixed shape, so its operators cannot be counted")

    def knows(self, node: onnx.NodeProto) -> bool:
        """Tell whether the shapes of a product's operands and result are known."""
        operands = (
            _operands(node)[:1]
            if node.op_type in ("QLinearConv", "QLinearMatMul", "QGemm")
            else node.input[:2]
        )
        return all(name in self.known for name in (node.input[0], *operands, node.output[0]))

    def of(self, name: str) -> tuple[int, ...]:
        """Shape, or () where it could not be inferred."""
        return self.known.get(name, ())

    def numbers(self, name: str) -> int:
        """Scalars; 0 where the shape could not be inferred."""
        return prod(self.known[name]) if name in self.known else 0

    def bytes(self, name: str) -> int:
        """Bytes; 0 where the shape could not be inferred."""
        return self.numbers(name) * self._widths.get(name, 4)


def _owners(graph: onnx.GraphProto, weights: dict[str, int]) -> dict[str, list[str]]:
    """Node -> the weights it computes with, seen through QuantizeLinear and DequantizeLinear; each weight has one owner."""
    source: dict[str, str] = {}  # tensor -> the initializer that it is a (de)quantized form of
    for node in graph.node:
        if node.op_type in ("DequantizeLinear", "QuantizeLinear"):
            origin = source.get(node.input[0], node.input[0])
            if origin in weights:
                source[node.output[0]] = origin
    taken: set[str] = set()
    owned: dict[str, list[str]] = {}
    integers = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT64}
    for node in graph.node:
        if node.op_type in ("DequantizeLinear", "QuantizeLinear"):
            continue
        for name in _operands(node):
            origin = source.get(name, name)
            if origin in weights and origin not in taken and origin not in integers and weights[origin] > 1:
                taken.add(origin)
                owned.setdefault(node.output[0], []).append(origin)
    return owned


def _operands(node: onnx.NodeProto) -> list[str]:
    """Inputs that may be weights: not the scales and zero points of an integer operator."""
    if node.op_type in ("QLinearConv", "QLinearMatMul"):
        return [node.input[3], *node.input[8:]]
    if node.op_type == "QGemm":
        return [node.input[3], *node.input[6:7]]
    if node.op_type == "QLinearConcat":
        return list(node.input)[2::3]
    if node.op_type.startswith("QLinear"):
        return [node.input[0], *node.input[3:4]]
    return list(node.input)


def _layer(
    node: onnx.NodeProto, shapes: _Shapes, owned: dict[str, list[str]], integer: frozenset[str] | None
) -> Layer:
    output = node.output[0]
    return Layer(
        name=node.name or output,
        kind=node.op_type,
        parameters=sum(shapes.numbers(name) for name in owned.get(output, ())),
        macs=macs_of(node, shapes.known),
        activations=sum(shapes.numbers(name) for name in node.output),
        integer=None
        if integer is None or node.op_type not in (*PRODUCTS, *INTEGER_PRODUCTS)
        else output in integer,
    )
