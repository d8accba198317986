"""Weights learned on calibration crops: each layer is fitted to what its quantized inputs really are, then rounded.

Layer after layer, in the order of the graph: the float graph says what a layer should give, the Q/DQ graph (with the
layers before it already corrected) says what it reads: the asymmetric reconstruction of AdaRound (Nagel et al., ICML 2020, arXiv
2004.10568), whose objective this is but not its solver. Three closed-form steps per layer, all from second moments:

1. least squares: the float weights that give the float output from the quantized inputs, held near the old ones by a ridge;
2. rounding with error feedback as in GPTQ (:mod:`edgeau_calibration.algorithms.gptq_rounding`);
3. empirical bias correction (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV
   2019, section 4.2): the mean of the output is that of the float layer.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau._system.progress import progress_bar
from edgeau.errors import CalibrationError
from edgeau_calibration.algorithms.least_squares import FitRule, fitted_layer
from edgeau_calibration.algorithms.second_moments import InputMoments, MomentSums, patches
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.quantizable_layers import quantized_weight, weighted_nodes
from edgeau_calibration.graph.subgraph import between, cuts
from edgeau_calibration.graph.view import GraphView

__all__ = ["with_learned_weights"]

_BATCH = 8


def with_learned_weights(
    quantized: onnx.ModelProto, float_graph: onnx.ModelProto, batch: NDArray[np.float32], rule: FitRule
) -> onnx.ModelProto:
    """A copy of a Q/DQ graph with corrected weights and biases; scales of activations stay.

    Args:
        quantized: made from ``float_graph``, with nodes of the same names.
        float_graph: what it should answer like.
        batch: normalised calibration crops, float32 ``(n, 3, H, W)``.
        rule: which of the steps are taken.
    """
    result = onnx.ModelProto()
    result.CopyFrom(quantized)
    lockstep = _Lockstep(float_graph, result, batch)
    view, floats = GraphView(result.graph), GraphView(float_graph.graph)
    by_name = {node.name: node for node in result.graph.node}
    places = {node.name: index for index, node in enumerate(float_graph.graph.node)}
    for seed, node in enumerate(
        progress_bar(weighted_nodes(float_graph.graph), desc="learned weights", unit="layer")
    ):
        place = quantized_weight(result.graph, by_name[node.name])
        if place is None:
            continue
        lockstep.advance_to(places[node.name])
        weights = floats.value(node.input[1])
        moments = lockstep.moments(node, place.activation, weights.shape, seed, pairs=rule.needs_pairs)
        try:
            fitted_layer(place, weights, moments, view, rule)
        except np.linalg.LinAlgError as error:
            raise CalibrationError(
                f"layer {node.name} reads inputs that hardly vary over these {len(batch)} calibration crops, so its weights "
                "cannot be learned; give more faces, and more different ones, or a target with a recipe that learns none (quick)"
            ) from error
    return result


class _Lockstep:
    """Both graphs, run up to the same place; values are kept at the last tensor that everything passes through."""

    def __init__(
        self, float_graph: onnx.ModelProto, quantized: onnx.ModelProto, batch: NDArray[np.float32]
    ) -> None:
        self._models = (float_graph, quantized)
        self._cuts = cuts(float_graph.graph)
        self._at = 0
        self._values = (batch, batch)

    def advance_to(self, index: int) -> None:
        """Move to the last cut before node ``index`` of the float graph."""
        after = [at for at, (_, before) in enumerate(self._cuts) if before <= index]
        if after[-1] == self._at:
            return
        start, end = self._cuts[self._at][0], self._cuts[after[-1]][0]
        self._values = tuple(
            np.concatenate(list(self._run(model, values, start, end)))
            for model, values in zip(self._models, self._values, strict=True)
        )  # type: ignore[assignment]
        self._at = after[-1]

    def moments(
        self, node: onnx.NodeProto, activation: str, kernel: tuple[int, ...], seed: int, *, pairs: bool
    ) -> InputMoments:
        """Sum the moments of what a node reads in the float graph, and as ``activation`` in the quantized one."""
        start = self._cuts[self._at][0]
        sums = MomentSums(pairs=pairs)
        streams = (
            self._run(model, values, start, end)
            for model, values, end in zip(
                self._models, self._values, (node.input[0], activation), strict=True
            )
        )
        for part, (of_float, of_quantized) in enumerate(zip(*streams, strict=True)):
            at = seed * 1000 + part
            sums.add(patches(of_float, node, kernel, at), patches(of_quantized, node, kernel, at))
        return sums.moments()

    def _run(
        self, model: onnx.ModelProto, values: NDArray[np.float32], start: str, end: str
    ) -> Iterator[NDArray[np.float32]]:
        """The tensor ``end``, in batches."""
        session = None if start == end else open_model(between(model, start, [end]))
        for first in range(0, len(values), _BATCH):
            piece = values[first : first + _BATCH]
            yield piece if session is None else session.run(None, {start: piece})[0]
