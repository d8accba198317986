"""The best integers of one layer, from the second moments of its inputs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_calibration.algorithms.gptq_rounding import rounded_with_feedback
from edgeau_calibration.algorithms.second_moments import InputMoments, Pairs
from edgeau_calibration.graph.quantizable_layers import QuantizedWeight
from edgeau_calibration.graph.view import GraphView

__all__ = ["FitRule", "fitted_layer"]

# Of the mean second moment, added to all of them: what keeps inputs that hardly vary from running away.
_DAMPING = 0.01
# The same for least squares, and how fast it grows where few positions were seen for each input: the weights then stay
# nearly as they are.
_HELD = 0.03
_SCARCE = 1.0
# Shares of the largest weight that its scale may reach up to.
_SHARES = np.linspace(0.7, 1.0, 13)


@dataclass(frozen=True)
class FitRule:
    """Choice of the steps that are taken.

    Attributes:
        bits: bits of the weights, 7 or 8.
        least_squares: fit the float weights to the quantized inputs first.
        feedback: round with error feedback; otherwise to the nearest integer.
        bias: correct the mean of the output.
    """

    bits: int
    least_squares: bool = True
    feedback: bool = True
    bias: bool = True

    @classmethod
    def of_steps(cls, steps: Collection[str], bits: int) -> FitRule | None:
        """The rule with the named steps of a recipe; None where none of them is about weights."""
        least_squares, feedback, bias = (step in steps for step in ("least-squares", "rounding", "bias"))
        return cls(bits, least_squares, feedback, bias) if least_squares or feedback or bias else None

    @property
    def needs_pairs(self) -> bool:
        """True where a step asks how inputs vary together."""
        return self.least_squares or self.feedback

    @property
    def limit(self) -> int:
        """Largest magnitude of an integer weight."""
        return 63 if self.bits == 7 else 127


def fitted_layer(
    place: QuantizedWeight,
    weights: NDArray[np.generic],
    moments: InputMoments,
    graph: GraphView,
    rule: FitRule,
) -> None:
    """Writes new integers, scales and bias of a layer into ``graph``.

    Args:
        place: where they are.
        weights: weights of the float layer, ``(O, ...)``.
        moments: moments of its inputs.
        graph: Q/DQ.
        rule: which steps are taken.
    """
    groups, inputs = moments.quantized_mean.shape
    old = np.asarray(weights, np.float64).reshape(groups, -1, inputs)
    pairs = moments.pairs
    # Of so many inputs that no pairs were kept, both steps would leave the weights nearly as they are.
    target = old if pairs is None or not rule.least_squares else _refitted(old, pairs, moments.count)
    share = _DAMPING + inputs / moments.count / 4
    scale = _scales(target, moments.variance + _ridge(moments.variance, share)[:, None], rule.limit)
    if rule.feedback and pairs is not None:
        damped = _damped(pairs.quantized, share)
        integers = rounded_with_feedback(target.copy(), damped, scale, rule.limit)
    else:
        integers = np.clip(np.round(target / scale[..., None]), -rule.limit, rule.limit).astype(np.int8)
    new = integers * scale[..., None]
    _write_weights(place, integers, new, scale, weights.shape, graph)
    _write_bias(place, _mean_change(old, new, moments) if rule.bias else None, scale.ravel(), graph)


def _refitted(weights: NDArray[np.float64], pairs: Pairs, count: int) -> NDArray[np.float64]:
    """Least squares of the float outputs on the quantized inputs, held to the old weights by a ridge."""
    held = _HELD + _SCARCE * weights.shape[2] / count
    ridge = _damped(pairs.quantized, held) - pairs.quantized
    wanted = weights @ (pairs.cross + ridge)
    solved = np.linalg.solve(pairs.quantized + ridge, wanted.transpose(0, 2, 1))
    return np.ascontiguousarray(solved.transpose(0, 2, 1))


def _damped(moments: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    ridge = _ridge(np.einsum("gff->gf", moments), share)
    return np.asarray(moments + ridge[:, None, None] * np.eye(moments.shape[1]))


def _ridge(variance: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """A share of each group's mean variance, ``(G,)``."""
    return np.asarray(share * variance.mean(axis=1) + 1e-12)


def _scales(weights: NDArray[np.float64], variance: NDArray[np.float64], limit: int) -> NDArray[np.float64]:
    """Per output, the scale with the least error of plain rounding, each input weighed by how much it varies."""
    largest = np.maximum(np.abs(weights).max(axis=2), 1e-12)
    weight = variance[:, None, :]
    errors = []
    for share in _SHARES:
        scale = (largest * share / limit)[..., None]
        rounded = np.clip(np.round(weights / scale), -limit, limit) * scale
        errors.append(((weights - rounded) ** 2 * weight).sum(axis=2))
    return np.asarray(largest * _SHARES[np.argmin(errors, axis=0)] / limit)


def _mean_change(
    old: NDArray[np.float64], new: NDArray[np.float64], moments: InputMoments
) -> NDArray[np.float64]:
    """Compute what the bias must add so that the mean output is that of the float layer, ``(O,)``."""
    wanted = np.einsum("gof,gf->go", old, moments.float_mean)
    given = np.einsum("gof,gf->go", new, moments.quantized_mean)
    return np.asarray(wanted - given).ravel()


def _write_weights(
    place: QuantizedWeight,
    integers: NDArray[np.int8],
    values: NDArray[np.float64],
    scale: NDArray[np.float64],
    shape: tuple[int, ...],
    graph: GraphView,
) -> None:
    whole_pair = graph.value(place.values).dtype != np.int8
    written = values.reshape(shape).astype(np.float32) if whole_pair else integers.reshape(shape)
    graph.set_value(place.values, written)
    graph.set_value(place.scale, scale.ravel().astype(np.float32))


def _write_bias(
    place: QuantizedWeight,
    change: NDArray[np.float64] | None,
    scale: NDArray[np.float64],
    graph: GraphView,
) -> None:
    if place.bias is None:
        return
    bias = graph.value(place.bias).astype(np.float64)
    if place.bias_scale is None:
        graph.set_value(place.bias, (bias + (0 if change is None else change)).astype(np.float32))
        return
    bias = bias * graph.value(place.bias_scale).astype(np.float64) + (0 if change is None else change)
    product = graph.value(place.activation_scale).astype(np.float64) * scale
    graph.set_value(place.bias, np.round(bias / product).astype(np.int32))
    graph.set_value(place.bias_scale, product.astype(np.float32))
