"""Multiply-accumulates of a graph's weighted nodes, and how many of them a Q/DQ graph does in integers."""

from __future__ import annotations

import numpy as np
import onnx

from edgeau.errors import CalibrationError
from edgeau_calibration.graph.quantizable_layers import WEIGHTED
from edgeau_calibration.graph.subgraph import consumers, producers

__all__ = ["integer_layers", "integer_share", "macs_by_node"]


def macs_by_node(model: onnx.ModelProto) -> dict[str, int]:
    """Multiply-accumulates of one input, by name of the Conv, Gemm or MatMul; graph order.

    Raises:
        CalibrationError: a shape cannot be inferred.
    """
    inferred = onnx.shape_inference.infer_shapes(_with_batch_of_one(model), data_prop=True)
    graph = inferred.graph
    shapes = {item.name: _shape(item) for item in (*graph.value_info, *graph.input, *graph.output)}
    shapes |= {item.name: tuple(item.dims) for item in graph.initializer}
    return {node.name: _macs(node, shapes) for node in graph.node if node.op_type in (*WEIGHTED, "MatMul")}


def integer_layers(model: onnx.ModelProto, *, float_outputs: bool = False) -> set[str]:
    """Weighted nodes of a Q/DQ graph that an engine can do in integers: both inputs dequantized, output quantized.

    The last node may give float logits: its product is one of integers all the same.

    Args:
        model: Q/DQ graph.
        float_outputs: the engine has kernels with integers in and floats out, as TensorRT has.
    """
    read_by, outputs = consumers(model.graph), {item.name for item in model.graph.output}
    made_by = producers(model.graph)
    found = set()
    for node in model.graph.node:
        if node.op_type not in (*WEIGHTED, "MatMul"):
            continue
        dequantized = all(
            made_by.get(name) is not None and made_by[name].op_type == "DequantizeLinear"
            for name in node.input[:2]
        )
        readers = read_by.get(node.output[0], [])
        fused = all(reader.op_type in ("QuantizeLinear", "Relu", "Clip") for reader in readers)
        if dequantized and (float_outputs or fused or node.output[0] in outputs):
            found.add(node.name)
    return found


def integer_share(quantized: onnx.ModelProto, macs: dict[str, int], *, float_outputs: bool = False) -> float:
    """Share of the multiply-accumulates done in integers, 0..1.

    Args:
        quantized: Q/DQ graph.
        macs: of the float graph that it was made from.
        float_outputs: see :func:`integer_layers`.
    """
    integer = integer_layers(quantized, float_outputs=float_outputs)
    return sum(count for name, count in macs.items() if name in integer) / max(sum(macs.values()), 1)


def _with_batch_of_one(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in (*copy.graph.input, *copy.graph.output):
        dims = tensor.type.tensor_type.shape.dim
        if len(dims):
            dims[0].dim_value = 1
    del copy.graph.value_info[:]
    return copy


def _shape(item: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(dim.dim_value for dim in item.type.tensor_type.shape.dim)


def _macs(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> int:
    output, weights = shapes.get(node.output[0], ()), shapes.get(node.input[1], ())
    if not output or not weights or not all(output) or not all(weights):
        raise CalibrationError(
            f"the shape of {node.name or node.op_type} is not known; export the network with fixed height and width"
        )
    if node.op_type == "Conv":
        return int(np.prod(output, dtype=np.int64) * np.prod(weights[1:], dtype=np.int64))
    return int(np.prod(output, dtype=np.int64) * shapes[node.input[0]][-1])
