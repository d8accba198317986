"""Adapter to ONNX Runtime's quantizer: a float ONNX graph and the ranges of its activations become a Q/DQ graph.

This is the one file that drives ONNX Runtime's ``QDQQuantizer``. The class can be imported from
``onnxruntime.quantization`` but is not documented there: the documented ``quantize_static`` only takes files and calibrates by
itself. What is relied on here (constructor arguments, ``tensors_range``, the extra options, per-tensor overrides, the form of
the result) is pinned by ``tests/calibration/test_qdq_quantizer.py``, which fails where a new release changes it.

The form is canonical: every node that is integer reads dequantized tensors (weights: int8 and ``DequantizeLinear`` only, or
a whole pair where the recipe wants one) and its output is quantized again; a node without ``QuantizeLinear`` behind it is
float. Activations are uint8 (asymmetric), int8 (symmetric) or int16; uint8 becomes int8 by taking 128 off zero points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QDQQuantizer, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData

from edgeau_calibration.recipe import QuantizationRecipe

__all__ = ["quantize_graph"]

# A tensor that is zero throughout still needs a scale.
_LEAST = 1e-6
_TYPES = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8, "int16": QuantType.QInt16}


def quantize_graph(
    model: onnx.ModelProto,
    ranges: Mapping[str, tuple[float, float]],
    recipe: QuantizationRecipe,
    kept_float: Iterable[str] = (),
) -> onnx.ModelProto:
    """A Q/DQ copy of a float graph.

    Args:
        model: from :func:`edgeau_calibration.graph.prepare.prepare_graph`.
        ranges: ranges of its activations, from :func:`edgeau_calibration.algorithms.ranges.activation_ranges`.
        recipe: types, symmetry and operators.
        kept_float: names of nodes that stay in float.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    quantizer = QDQQuantizer(
        copy,
        per_channel=recipe.per_channel,
        reduce_range=recipe.weight_bits == 7,
        weight_qType=QuantType.QInt8,
        activation_qType=_TYPES[recipe.activations],
        tensors_range=_tensors_data(ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=list(kept_float),
        op_types_to_quantize=list(recipe.operators),
        extra_options=_options(recipe) | {"TensorQuantOverrides": _one_scale(copy, recipe)},
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: onnx.ModelProto = quantizer.model.model
    onnx.checker.check_model(result)
    return result


def _tensors_data(ranges: Mapping[str, tuple[float, float]]) -> TensorsData:
    """Ranges as ONNX Runtime's quantizer takes them."""
    return TensorsData(
        CalibrationMethod.MinMax,
        {
            name: TensorData(
                lowest=np.array(low, np.float32), highest=np.array(max(high, low + _LEAST), np.float32)
            )
            for name, (low, high) in ranges.items()
        },
    )


def _options(recipe: QuantizationRecipe) -> dict[str, Any]:
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


def _one_scale(model: onnx.ModelProto, recipe: QuantizationRecipe) -> dict[str, list[dict[str, Any]]]:
    """One scale for weights that hold a matrix for each place of a picture (locally connected layers), or stand on the left.

    ONNX Runtime's per-channel axis of a MatMul is the columns' of a plain matrix; in a stack, and in a matrix on the left (a graph's
    adjacency), it would run along what is summed over, which no integer kernel can do.
    """
    constants = {item.name: len(item.dims) for item in model.graph.initializer}
    scale = {
        "quant_type": QuantType.QInt8,
        "symmetric": True,
        "reduce_range": recipe.weight_bits == 7,
    }
    multiplied = [node.input for node in model.graph.node if node.op_type == "MatMul"]
    left = [names[0] for names in multiplied if names[0] in constants]
    stacks = [names[1] for names in multiplied if constants.get(names[1], 0) > 2]
    return {name: [dict(scale)] for name in (*left, *stacks)}
