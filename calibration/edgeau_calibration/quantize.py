"""Quantize: a float ONNX graph and the ranges of its activations become a Q/DQ graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
from onnxruntime.quantization import QDQQuantizer, QuantType

from edgeau.errors import CalibrationError

if TYPE_CHECKING:
    from onnxruntime.quantization.calibrate import TensorsData

    from edgeau_calibration.recipe import Recipe

__all__ = ["quantized"]

_TYPES = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}


def quantized(model: onnx.ModelProto, ranges: TensorsData, recipe: Recipe) -> onnx.ModelProto:
    """A Q/DQ copy of a float graph.

    Args:
        model: from :func:`edgeau_calibration.graph.prepared`.
        ranges: of its activations, from :func:`edgeau_calibration.ranges.activation_ranges`.
        recipe: types, symmetry and what stays in float.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    quantizer = QDQQuantizer(
        copy,
        per_channel=recipe.per_channel,
        reduce_range=_seven_bits(recipe),
        weight_qType=QuantType.QInt8,
        activation_qType=_TYPES[recipe.activations],
        tensors_range=ranges,
        nodes_to_quantize=[],
        nodes_to_exclude=[],
        op_types_to_quantize=list(recipe.operators),
        extra_options=_options(recipe),
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: onnx.ModelProto = quantizer.model.model
    onnx.checker.check_model(result)
    return result


def _seven_bits(recipe: Recipe) -> bool:
    if recipe.weight_bits not in (7, 8):
        raise CalibrationError(
            f"recipe {recipe.name}: weight_bits is {recipe.weight_bits}; 7 and 8 are known"
        )
    return recipe.weight_bits == 7


def _options(recipe: Recipe) -> dict[str, Any]:
    options: dict[str, Any] = {
        "ActivationSymmetric": recipe.symmetric_activations,
        "WeightSymmetric": True,
        "QuantizeBias": recipe.quantized_bias,
        "AddQDQPairToWeight": recipe.weight_pairs,
    }
    if recipe.weight_pairs:
        # TensorRT fuses Q/DQ in front of an operator; a pair behind it would break its fusions with what follows.
        options |= {"OpTypesToExcludeOutputQuantization": list(recipe.operators), "DedicatedQDQPair": True}
    return options
