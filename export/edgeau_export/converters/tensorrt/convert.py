"""Makes the two ONNX files that a board builds its engines from: half precision, and explicit INT8 with half around it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

import onnx

from edgeau.bundle.manifest import Accuracy
from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.converters.tensorrt.half import with_half_precision
from edgeau_export.converters.tensorrt.qdq import activation_scales
from edgeau_export.converters.tensorrt.rules import refuse_unless_fit

__all__ = ["calibration_cache", "convert"]

# Of the artifact's file, in the name of the calibration cache beside it.
_CACHE_SUFFIX = ".calibration.cache"
# Of the largest difference of a logit. Half precision keeps three digits; 0.013 was seen on the default network.
_TOLERANCE = 0.1
# TensorRT's header names the version and the calibrator; readers other than edgeau's own want their version's number in it.
_HEADER = "TRT-8502-EntropyCalibration2"


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the graph in half precision, and beside INT8 the same ranges as a calibration cache of the same name.

    Raises:
        TargetError: the network holds what TensorRT cannot build.
    """
    model = with_half_precision(request.graph)
    _forget_unused_domains(model)
    onnx.checker.check_model(model, full_check=True)
    refuse_unless_fit(model, request.artifact.file)
    onnx.save(model, request.file)
    if request.artifact.recipe is None:
        return ConversionResult(tolerance=_TOLERANCE)
    cache = calibration_cache(activation_scales(request.graph))
    request.file.with_suffix(_CACHE_SUFFIX).write_text(cache, encoding="ascii")
    return ConversionResult(
        accuracy=_before_half(request.accuracy), network_accuracy=_before_half(request.network_accuracy)
    )


def calibration_cache(scales: Mapping[str, float]) -> str:
    """TensorRT's calibration cache, for implicit INT8 on TensorRT 8 and 10: text, one scale a tensor.

    Args:
        scales: largest magnitude / 127 by tensor of the float ONNX file.
    """
    lines = [f"{name}: {struct.pack('>f', scale).hex()}" for name, scale in scales.items()]
    return "\n".join((_HEADER, *lines)) + "\n"


def _before_half(accuracy: Accuracy | None) -> Accuracy | None:
    """It was measured on the pairs with float32 around them."""
    return (
        None
        if accuracy is None
        else replace(accuracy, data=f"{accuracy.data}, with float32 around the pairs")
    )


def _forget_unused_domains(model: onnx.ModelProto) -> None:
    """The quantizer's tools import every operator set that ONNX Runtime knows."""
    used = {node.domain for node in model.graph.node}
    kept = [item for item in model.opset_import if item.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
