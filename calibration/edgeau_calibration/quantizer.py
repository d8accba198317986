"""Static INT8: prepare the graph, calibrate its ranges, quantize, learn the weights; once, or with layers back in float."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.algorithms.activations import ordinary_crops, sampled_activations
from edgeau_calibration.algorithms.equalization import equalized
from edgeau_calibration.algorithms.least_squares import FitRule
from edgeau_calibration.algorithms.ranges import activation_names, activation_ranges
from edgeau_calibration.algorithms.weight_optimization import with_learned_weights
from edgeau_calibration.graph.block_partition import nodes_of_roles
from edgeau_calibration.graph.qdq_quantizer import prepared
from edgeau_calibration.graph.quantizable_layers import with_constants_of
from edgeau_calibration.quantize import quantized
from edgeau_calibration.recipe import Recipe

__all__ = ["Quantization", "static_int8"]


def static_int8(
    model: onnx.ModelProto,
    crops: NDArray[np.uint8],
    spec: InputSpec,
    recipe: Recipe,
    kept_float: Iterable[str] = (),
) -> onnx.ModelProto:
    """A Q/DQ copy of a float graph, with the float graph's metadata.

    Args:
        model: float graph with one input; left as it is.
        crops: to calibrate on, uint8 ``(n, H, W, 3)`` RGB.
        spec: how the network wants them normalised.
        recipe: how ranges are found and what becomes integer.
        kept_float: names of nodes that stay in float beside those of the recipe.

    Raises:
        CalibrationError: the graph cannot be quantized, or an activation is not finite.
    """
    return Quantization(model, crops, spec, recipe).graph(kept_float)


class Quantization:
    """One float graph under one recipe: ranges and weights are found once, and Q/DQ graphs made from them at will.

    Arguments and errors are those of :func:`static_int8`.

    Attributes:
        float_graph: as prepared, and equalized where the recipe says so; names of nodes come from it.
        recipe: of the quantization.
        ranges: of every activation.
    """

    def __init__(
        self, model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, recipe: Recipe
    ) -> None:
        self.float_graph = prepared(model)
        if "equalization" in recipe.learned:
            self.float_graph = equalized(self.float_graph, crops, spec)
        self.recipe = recipe
        activations = sampled_activations(
            self.float_graph, crops, spec, activation_names(self.float_graph.graph)
        )
        self.ranges = activation_ranges(self.float_graph.graph, activations, recipe)
        self._metadata = model.metadata_props
        self._floats = nodes_of_roles(self.float_graph.graph, recipe.floats)
        self._learned = self._learn(crops[ordinary_crops(activations)], spec)

    def graph(self, kept_float: Iterable[str] = ()) -> onnx.ModelProto:
        """The Q/DQ graph with the named nodes, and those of the recipe's roles, in float."""
        result = self._unlearned(dict.fromkeys((*self._floats, *kept_float)))
        if self._learned is not None:
            with_constants_of(result, self._learned)
        del result.metadata_props[:]
        result.metadata_props.extend(self._metadata)
        return result

    def _unlearned(self, kept_float: Iterable[str]) -> onnx.ModelProto:
        """The Q/DQ graph with the float weights rounded as they are; where its pairs stand is what weights are learned for."""
        return quantized(self.float_graph, self.ranges, self.recipe, kept_float)

    def _learn(self, crops: NDArray[np.uint8], spec: InputSpec) -> onnx.ModelProto | None:
        """All weights that are integer without any other layer in float."""
        steps = set(self.recipe.learned) - {"equalization"}  # which is in the float graph already
        if not steps:
            return None
        rule = FitRule(
            bits=self.recipe.weight_bits,
            least_squares="least-squares" in steps,
            feedback="rounding" in steps,
            bias="bias" in steps,
        )
        batch = Preprocessor(spec).batch(crops)
        return with_learned_weights(self._unlearned(self._floats), self.float_graph, batch, rule)
