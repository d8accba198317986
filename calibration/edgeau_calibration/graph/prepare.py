"""The float graph made ready for quantization: shapes known, constants and batch norm folded, one check that it can be."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import onnx
from onnx import numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeau._system.scratch_folder import scratch_folder
from edgeau.errors import CalibrationError
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.view import GraphView, drop_unread

__all__ = ["prepare_graph"]

_QUANTIZABLE = ("Conv", "Gemm", "MatMul")
_SPATIAL = [2, 3]


def prepare_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with shapes, folded constants and folded batch norm, and a name for every node; the input is left as it is.

    Means over height and width are written as GlobalAveragePool, which engines have in integers. Exporters store equal weights and
    biases once, whatever layers read them; here each layer has its own, since what INT8 learns differs from layer to layer.

    Raises:
        CalibrationError: nothing in the graph can be quantized, it is quantized already, has operators that ONNX Runtime
            does not know, or takes pictures of any size.
    """
    _check(model)
    with scratch_folder("quantize") as folder:
        source, path = Path(folder) / "float.onnx", Path(folder) / "prepared.onnx"
        # By file: handed a model in memory, it moves that model's weights to a file that it then cannot find.
        onnx.save(_pooled(model), source)
        with _quiet():
            # The exporter's shapes are plain, so onnx's own inference suffices and sympy is not needed.
            quant_pre_process(source, path, skip_symbolic_shape=True)
        result = onnx.load(path)
    _give_each_layer_its_own_constants(result)
    for index, node in enumerate(result.graph.node):
        node.name = node.name or f"{node.op_type}_{index}"
    return result


def _give_each_layer_its_own_constants(model: onnx.ModelProto) -> None:
    graph = GraphView(model.graph)
    taken = set(graph.constants)
    for node in model.graph.node:
        if node.op_type not in _QUANTIZABLE:
            continue
        for index, name in enumerate(node.input):
            if name not in graph.constants or len(graph.readers[name]) == 1:
                continue
            copy = model.graph.initializer.add()
            copy.CopyFrom(graph.constants[name])
            copy.name = next(new for number in count() if (new := f"{name}_{number}") not in taken)
            taken.add(copy.name)
            node.input[index] = copy.name
    drop_unread(model)


def _check(model: onnx.ModelProto) -> None:
    kinds = {node.op_type for node in model.graph.node}
    if kinds.intersection(("DequantizeLinear", "QLinearConv", "ConvInteger")):
        raise CalibrationError("the ONNX file is quantized already; quantize the float one")
    if not kinds.intersection(_QUANTIZABLE):
        raise CalibrationError(
            f"the ONNX graph has no {', '.join(_QUANTIZABLE)}, so there is nothing to quantize"
        )
    _check_input(model.graph)
    open_model(model, optimized=False)  # refuses operators that it does not know, with their names


def _check_input(graph: onnx.GraphProto) -> None:
    constants = {item.name for item in graph.initializer}
    inputs = [item for item in graph.input if item.name not in constants]
    if len(inputs) != 1:
        raise CalibrationError(
            f"the ONNX graph has {len(inputs)} inputs ({', '.join(item.name for item in inputs)}); wanted is one, "
            "the normalised crops"
        )
    shape = inputs[0].type.tensor_type.shape.dim
    sides = [dim.dim_value for dim in shape[1:]]
    if len(shape) != 4 or not all(side > 0 for side in sides):
        shown = ", ".join(dim.dim_param or str(dim.dim_value) for dim in shape)
        raise CalibrationError(
            f"the ONNX graph takes {inputs[0].name} of shape ({shown}); only the batch may be dynamic: export it with fixed "
            "height and width, as (batch, 3, H, W)"
        )


def _pooled(model: onnx.ModelProto) -> onnx.ModelProto:
    """ReduceMean over height and width, as some exporters write it, becomes GlobalAveragePool."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants = {item.name: item for item in result.graph.initializer}
    for node in result.graph.node:
        if node.op_type == "ReduceMean" and _over_height_and_width(node, constants):
            node.op_type = "GlobalAveragePool"
            del node.attribute[:]
            del node.input[1:]
    return result


def _over_height_and_width(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    given = {item.name: item for item in node.attribute}
    if "keepdims" in given and given["keepdims"].i == 0:
        return False
    if "axes" in given:
        return sorted(axis % 4 for axis in given["axes"].ints) == _SPATIAL
    if len(node.input) > 1 and node.input[1] in constants:
        return sorted(int(axis) % 4 for axis in numpy_helper.to_array(constants[node.input[1]])) == _SPATIAL
    return False


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps ONNX Runtime's advice to pre-process, given while it pre-processes, off the terminal."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.root.setLevel(level)
