"""Small ONNX graphs, both engines beside each other, and what a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeau_export.onnx_to_tflite import tflite_bytes


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int],
    constants: dict[str, np.ndarray] | None = None,
    opset: int = 17,
) -> onnx.ModelProto:
    """A graph from ``x`` to ``y`` with a dynamic batch; the first axis of ``shape`` is the batch."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    inferred = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(inferred)
    return inferred


def run_onnx(model: onnx.ModelProto, batch: np.ndarray) -> np.ndarray:
    """What ONNX Runtime answers, without its own rewriting of the graph: Q and DQ are computed as they stand."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.concatenate([session.run(None, {session.get_inputs()[0].name: one[None]})[0] for one in batch])


def interpreter(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    opened = Interpreter(model_content=content, num_threads=1)
    opened.allocate_tensors()
    return opened


def run_tflite(content: bytes, batch: np.ndarray) -> np.ndarray:
    """What LiteRT answers to the same pictures, NCHW as ONNX has them."""
    opened = interpreter(content)
    start, end = opened.get_input_details()[0]["index"], opened.get_output_details()[0]["index"]
    answers = []
    for one in batch:
        picture = one.transpose(1, 2, 0) if one.ndim == 3 else one
        opened.set_tensor(start, np.ascontiguousarray(picture[None]))
        opened.invoke()
        answers.append(opened.get_tensor(end).copy())
    return np.concatenate(answers)


def operators(content: bytes) -> list[str]:
    """Names of the file's operators, in order."""
    from edgeau_export.onnx_to_tflite.schema import BuiltinOperator, tables

    names = {code: name for name, code in vars(BuiltinOperator).items() if not name.startswith("_")}
    root = tables.ModelT.InitFromPackedBuf(content, 0)
    return [names[root.operatorCodes[item.opcodeIndex].builtinCode] for item in root.subgraphs[0].operators]


def converted(model: onnx.ModelProto, precision: str = "fp32") -> bytes:
    return tflite_bytes(model, precision=precision, metadata={"network": "small"})
