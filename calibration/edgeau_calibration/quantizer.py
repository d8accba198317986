"""Static INT8 of an ONNX file: from a float graph, calibration crops and a recipe to a Q/DQ graph.

The steps, in the order of :class:`StaticQuantizer`:

1. :mod:`~edgeau_calibration.graph.prepare`: shapes known, constants and batch norm folded;
2. :mod:`~edgeau_calibration.algorithms.equalization`: channels of like ranges, exactly (a step of the recipe);
3. :mod:`~edgeau_calibration.algorithms.activations`, :mod:`~edgeau_calibration.algorithms.ranges`: the range of every tensor;
4. :mod:`~edgeau_calibration.qdq_quantizer`: the Q/DQ graph, its weights rounded as they are;
5. :mod:`~edgeau_calibration.algorithms.weight_optimization`: better weights for it (steps of the recipe).

Crops come from :mod:`edgeau_calibration.data` and pass :mod:`edgeau_calibration.linter` first; what the result costs is measured
in :mod:`edgeau_calibration.evaluation`, and :mod:`edgeau_calibration.search` puts layers back in float until a budget holds.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.algorithms.activations import ordinary_crops, sampled_activations
from edgeau_calibration.algorithms.equalization import equalize
from edgeau_calibration.algorithms.least_squares import FitRule
from edgeau_calibration.algorithms.ranges import activation_names, activation_ranges
from edgeau_calibration.algorithms.weight_optimization import with_learned_weights
from edgeau_calibration.graph.block_partition import nodes_of_roles
from edgeau_calibration.graph.normalized_streams import sums_of_streams
from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.graph.quantizable_layers import with_constants_of
from edgeau_calibration.graph.unary_functions import inside_functions
from edgeau_calibration.qdq_quantizer import quantize_graph
from edgeau_calibration.recipe import QuantizationRecipe

__all__ = ["StaticQuantizer", "static_int8"]


def static_int8(
    model: onnx.ModelProto,
    crops: NDArray[np.uint8],
    spec: InputSpec,
    recipe: QuantizationRecipe,
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
    return StaticQuantizer(model, crops, spec, recipe).graph(kept_float)


class StaticQuantizer:
    """One float graph under one recipe: ranges and weights are found once, and Q/DQ graphs made from them at will.

    Arguments and errors are those of :func:`static_int8`.

    Attributes:
        float_graph: as prepared, and equalized where the recipe says so; names of nodes come from it.
        recipe: recipe of the quantization.
        ranges: ranges of every activation.
    """

    def __init__(
        self, model: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec, recipe: QuantizationRecipe
    ) -> None:
        self.recipe = recipe
        self._metadata = model.metadata_props
        graph = prepare_graph(model)
        self.float_graph = equalize(graph, crops, spec) if "equalization" in recipe.learned else graph
        self._floats = (
            *nodes_of_roles(self.float_graph.graph, recipe.floats),
            *inside_functions(self.float_graph.graph, recipe.operators),
            *sums_of_streams(self.float_graph.graph),
        )
        sampled = sampled_activations(self.float_graph, crops, spec, activation_names(self.float_graph.graph))
        self.ranges = activation_ranges(
            self.float_graph.graph,
            sampled,
            recipe.ranges,
            symmetric=recipe.symmetric_activations,
            through_silu=recipe.through_silu,
        )
        self._learned = self._learn(Preprocessor(spec).batch(crops[ordinary_crops(sampled)]))

    def graph(self, kept_float: Iterable[str] = ()) -> onnx.ModelProto:
        """The Q/DQ graph with the named nodes, those of the recipe's roles, composed functions and unbounded sums in float."""
        result = self._unlearned(dict.fromkeys((*self._floats, *kept_float)))
        if self._learned is not None:
            with_constants_of(result, self._learned)
        del result.metadata_props[:]
        result.metadata_props.extend(self._metadata)
        return result

    def _unlearned(self, kept_float: Iterable[str]) -> onnx.ModelProto:
        """The Q/DQ graph with the float weights rounded as they are; where its pairs stand is what weights are learned for."""
        return quantize_graph(self.float_graph, self.ranges, self.recipe, kept_float)

    def _learn(self, batch: NDArray[np.float32]) -> onnx.ModelProto | None:
        """All weights that are integer without any other layer in float; None where the recipe learns none."""
        rule = FitRule.of_steps(self.recipe.learned, self.recipe.weight_bits)
        if rule is None:
            return None
        return with_learned_weights(self._unlearned(self._floats), self.float_graph, batch, rule)
