"""Accuracy cost of a quantized graph: F1 on labelled faces, or, where no labels are there, decisions that flip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.metrics import (
    bootstrap_weights,
    f1_at_fitted_thresholds,
    f1_scores,
    percentile_interval,
    sigmoid,
)
from edgeau_calibration.data.labelled import EncodedCrops, EvaluationFaces
from edgeau_calibration.graph.ort_session import logits_of

__all__ = [
    "Evaluator",
    "LabelledEvaluator",
    "QuantizationCost",
    "UnlabelledEvaluator",
    "flips_interval",
    "most_flips",
]


@dataclass(frozen=True)
class QuantizationCost:
    """Cost of one quantized graph against its float graph.

    Attributes:
        distance: mean absolute difference of the probabilities; what layers are ranked by, since one broken crop cannot
            outweigh all others.
        flips: share of the decisions that differ, each at its own thresholds, 0..1.
        decisions: how many were compared.
        flips_at_most: upper end of the interval of ``flips`` over faces (95 %, one-sided); None where it was not asked for.
        interval: ends of the 95 % bootstrap interval over faces of the mean drop, without labels of ``flips``; thresholds are those of
            all faces in every draw. None where no AU has a positive.
        thresholds: float32 ``(C,)``, fitted again for the quantized graph where labels are there.
        f1: per label ``(C,)``, NaN where an AU has no positive; None without labels.
        drops: float F1 minus this, per label ``(C,)``; None without labels.
        worst_interval: ends of the same interval of the drop of that AU whose lower end is highest: what the faces show that one AU loses
            at least. None like ``interval``, and without labels.
    """

    distance: float
    flips: float
    decisions: int
    thresholds: NDArray[np.float32]
    f1: NDArray[np.float64] | None = None
    drops: NDArray[np.float64] | None = None
    flips_at_most: float | None = None
    interval: tuple[float, float] | None = None
    worst_interval: tuple[float, float] | None = None

    @property
    def mean_drop(self) -> float | None:
        """Mean F1 drop over the AUs that have positives."""
        return None if self.drops is None else float(np.nanmean(self.drops))

    @property
    def worst_drop(self) -> float | None:
        """Largest F1 drop of one AU."""
        return None if self.drops is None else float(np.nanmax(self.drops))


class Evaluator(ABC):
    """Compares graphs with the float one on the same faces.

    Args:
        model: float.
        crops: crops of n faces.
        spec: how the network wants them normalised.
        thresholds: thresholds of the float network, float32 ``(C,)``.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        crops: EncodedCrops | NDArray[np.uint8],
        spec: InputSpec,
        thresholds: NDArray[np.float32],
    ) -> None:
        self.crops = crops
        self.spec = spec
        self.thresholds = thresholds
        self.float_logits = logits_of(model, crops, spec)

    def __len__(self) -> int:
        return len(self.crops)

    def cost(self, model: onnx.ModelProto) -> QuantizationCost:
        """Measure the cost of a quantized graph."""
        return self.cost_of(logits_of(model, self.crops, self.spec))

    @abstractmethod
    def cost_of(self, logits: NDArray[np.float32]) -> QuantizationCost:
        """Measure the cost of logits ``(n, C)`` that something answered to the same faces."""


_RESAMPLES = 2000
_F1_RESAMPLES = 400  # of every AU, for every graph that is tried
_ERROR = 0.05


def _means(of_face: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over resamples of the faces."""
    means: NDArray[np.float64] = bootstrap_weights(len(of_face), _RESAMPLES) @ of_face / len(of_face)
    return means


def flips_interval(flips: NDArray[np.bool_]) -> tuple[float, float]:
    """Ends of the 95 % bootstrap interval over faces of the share of flipped decisions.

    Where nothing flips, which no resample can make more of, the upper end is what as many decisions exclude.

    Args:
        flips: ``(n, C)``, where a decision differs.
    """
    low, high = percentile_interval(_means(flips.mean(axis=1)))
    return float(low), max(float(high), float(1 - (_ERROR / 2) ** (1 / flips.size)))


def _interval(draws: NDArray[np.float64]) -> tuple[float, float] | None:
    low, high = (float(end) for end in percentile_interval(draws))
    return (low, high) if np.isfinite([low, high]).all() else None


def _worst_interval(drops: NDArray[np.float64]) -> tuple[float, float] | None:
    ends = percentile_interval(drops)
    ends = ends[np.isfinite(ends).all(axis=1)]
    if not len(ends):
        return None
    low, high = ends[ends[:, 0].argmax()].tolist()
    return low, high


def most_flips(flips: NDArray[np.bool_]) -> float:
    """Share of flipped decisions that faces like these do not exceed, with 95 % confidence (one-sided).

    The 95th percentile over resamples of the faces, whose decisions are not independent; of few or no flips, which no resample
    can make more of, at least what as many decisions exclude (Clopper and Pearson's bound of none).

    Args:
        flips: ``(n, C)``, where a decision differs.
    """
    none_seen = float(1 - _ERROR ** (1 / flips.size))
    return max(float(np.quantile(_means(flips.mean(axis=1)), 1 - _ERROR)), none_seen)


class UnlabelledEvaluator(Evaluator):
    """Only decisions can be compared, at the float thresholds."""

    def cost_of(self, logits: NDArray[np.float32]) -> QuantizationCost:  # noqa: D102
        of_float, answer = sigmoid(self.float_logits), sigmoid(logits)
        flips = (of_float >= self.thresholds) != (answer >= self.thresholds)
        return QuantizationCost(
            float(np.abs(of_float - answer).mean()),
            float(flips.mean()),
            flips.size,
            self.thresholds,
            flips_at_most=most_flips(flips),
            interval=flips_interval(flips),
        )


class LabelledEvaluator(Evaluator):
    """F1, with thresholds fitted on the same faces for the float graph and for each quantized one alike.

    The search compares so; what is reported is measured on other faces, at the thresholds that were found here.

    Args:
        model: float.
        faces: labelled.
        spec: how the network wants them normalised.
        thresholds: thresholds of the float network, float32 ``(C,)``.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        faces: EvaluationFaces,
        spec: InputSpec,
        thresholds: NDArray[np.float32],
    ) -> None:
        super().__init__(model, faces.crops, spec, thresholds)
        self.present, self.known = faces.present, faces.known
        self._float_thresholds, self._float_f1 = f1_at_fitted_thresholds(
            sigmoid(self.float_logits), faces.present, thresholds, faces.known
        )

    def cost_of(self, logits: NDArray[np.float32]) -> QuantizationCost:  # noqa: D102
        of_float, answer = sigmoid(self.float_logits), sigmoid(logits)
        thresholds, f1 = f1_at_fitted_thresholds(answer, self.present, self.thresholds, self.known)
        flips = (of_float >= self._float_thresholds) != (answer >= thresholds)
        drops = self._drops(of_float >= self._float_thresholds, answer >= thresholds)
        return QuantizationCost(
            float(np.abs(of_float - answer).mean()),
            float(flips.mean()),
            flips.size,
            thresholds,
            f1,
            self._float_f1 - f1,
            interval=_interval(drops.mean(axis=1)),
            worst_interval=_worst_interval(drops),
        )

    def _drops(self, of_float: NDArray[np.bool_], decided: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Drops of the F1 of each AU that has positives over resamples of the faces, those of both graphs from the same faces."""
        weights = bootstrap_weights(len(decided), _F1_RESAMPLES)
        before, after = (
            f1_scores(one, self.present, self.known, weights)[:, np.isfinite(self._float_f1)]
            for one in (of_float, decided)
        )
        return before - after
