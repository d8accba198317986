"""Static INT8 in one call: prepare the graph, calibrate its ranges, quantize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau_calibration.graph import prepared
from edgeau_calibration.quantize import quantized
from edgeau_calibration.ranges import activation_ranges

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from edgeau.bundle.manifest import InputSpec
    from edgeau_calibration.recipe import Recipe

__all__ = ["static_int8"]


def static_int8(
    model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, recipe: Recipe
) -> onnx.ModelProto:
    """A Q/DQ copy of a float graph, with the float graph's metadata.

    Args:
        model: float graph with one input; left as it is.
        crops: to calibrate on, uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
        recipe: how ranges are found and what becomes integer.

    Raises:
        CalibrationError: the graph cannot be quantized, or an activation is not finite.
    """
    graph = prepared(model)
    result = quantized(graph, activation_ranges(graph, crops, spec, recipe), recipe)
    del result.metadata_props[:]
    result.metadata_props.extend(model.metadata_props)
    return result
