"""Ranges of a few more tensors than the quantization recipe measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from edgeau.preprocessing import Preprocessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeau.bundle.manifest import InputSpec

__all__ = ["largest_magnitudes"]


def largest_magnitudes(
    model: onnx.ModelProto, tensors: Sequence[str], crops: NDArray[np.uint8], spec: InputSpec
) -> dict[str, float]:
    """The largest absolute value of each tensor over the crops.

    Args:
        model: float, batch 1.
        tensors: of the graph.
        crops: uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
    """
    if not tensors:
        return {}
    session = _session(_with_maxima(model, tensors))
    preprocessor = Preprocessor(spec)
    name = model.graph.input[0].name
    found = np.zeros(len(tensors))
    for crop in crops:
        found = np.maximum(found, np.ravel(session.run(None, {name: preprocessor.batch([crop])})))
    return dict(zip(tensors, found.tolist(), strict=True))


def _with_maxima(model: onnx.ModelProto, tensors: Sequence[str]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    for index, tensor in enumerate(tensors):
        magnitude, largest = f"maxima_{index}_abs", f"maxima_{index}"
        copy.graph.node.extend(
            [
                helper.make_node("Abs", [tensor], [magnitude]),
                helper.make_node("ReduceMax", [magnitude], [largest], keepdims=0),
            ]
        )
        copy.graph.output.append(helper.make_tensor_value_info(largest, TensorProto.FLOAT, []))
    return copy


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
