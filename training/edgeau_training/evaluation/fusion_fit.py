"""Fitting how network and landmark logits are fused, and choosing per AU what is shipped: landmarks, or both.

Both logits of an AU are standardised on validation. Their fused score is the weighted average, and validation may move
the network's share only between bounds. The bounds are ours, and there for a reason: validation is synthetic; the network
sees texture, in which renders differ most from photographs, while the landmark model sees geometry alone, found by a
detector that was trained on photographs. Left alone, validation would give the network nearly all weight, on evidence
that says nothing about the step to real faces. For the same reason no AU is left to the network alone (AU4 and AU14 once
were: a person's neutral face could not move them, and on real faces AU4 ranked worse than with the landmarks), and an AU is
left to the landmark model alone only where that one is better by a margin.

A score becomes a logit by Platt scaling (:mod:`edgeau_training.evaluation.platt`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import fuse
from edgeau.bundle.manifest import Fusion
from edgeau.errors import InputError
from edgeau.metrics import MINIMUM_POSITIVES
from edgeau_training.evaluation.metrics import count, fit_thresholds
from edgeau_training.evaluation.platt import fit_line
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["CHOICES", "FusionFit", "FusionRule", "fit_fusion", "fused_predictions", "mean_at_rest"]

CHOICES = ("landmark", "fused")
_SHARE_STEP = 0.05


@dataclass(frozen=True)
class FusionRule:
    """Trust in validation.

    Attributes:
        shares: lowest and highest share of the network in a fused score, 0..1; at 0 the landmark model stands alone.
        margin: by how much F1 on validation the landmark model alone must beat the fused score to be taken instead.
    """

    shares: tuple[float, float] = (0.0, 0.7)
    margin: float = 0.02


@dataclass(frozen=True)
class FusionFit:
    """Fusion and thresholds that were fitted on validation.

    Attributes:
        fusion: weights for :func:`edgeau.action_units.fusion.fuse`.
        thresholds: on the fused probability, float64 ``(C,)``, best F1 on validation.
        choice: per label one of :data:`CHOICES`.
        share: per label the network's share of the chosen score, 0..1.
        f1: per label F1 on validation of ``"landmark"``, ``"network"`` and ``"fused"``, each at its own best threshold.
    """

    fusion: Fusion
    thresholds: NDArray[np.float64]
    choice: dict[str, str]
    share: dict[str, float]
    f1: dict[str, dict[str, float]]


@dataclass(frozen=True)
class _Line:
    """``network * z_network + landmark * z_landmark + bias`` of one AU."""

    network: float
    landmark: float
    bias: float


def fit_fusion(network: Predictions, landmark: Predictions, rule: FusionRule | None = None) -> FusionFit:
    """Fit on the predictions of both models for the same validation faces.

    Raises:
        InputError: the labels or the faces differ, or an AU has too few positives or negatives.
    """
    rule = rule or FusionRule()
    if network.labels != landmark.labels or not np.array_equal(network.truth, landmark.truth):
        raise InputError("network and landmark predictions are not of the same faces and labels")
    lines: dict[str, _Line] = {}
    choice, share, f1 = {}, {}, {}
    for label in network.labels:
        one = _OneLabel(network.select([label]), landmark.select([label]))
        shares = {"landmark": 0.0, "network": 1.0, "fused": one.best_share(*rule.shares)}
        f1[label] = {name: one.f1(value) for name, value in shares.items()}
        choice[label] = _choose(f1[label], shares["fused"], rule.margin)
        share[label] = shares[choice[label]]
        lines[label] = one.line(share[label])
    fusion = Fusion(
        network={label: line.network for label, line in lines.items()},
        landmark={label: line.landmark for label, line in lines.items()},
        bias={label: line.bias for label, line in lines.items()},
    )
    fused = fused_predictions(network, landmark, fusion, np.full(len(network.labels), 0.5))
    return FusionFit(fusion, fit_thresholds(fused), choice, share, f1)


def fused_predictions(
    network: Predictions, landmark: Predictions, fusion: Fusion, thresholds: NDArray[np.float64]
) -> Predictions:
    """Predictions of the fusion from those of both models."""
    logits = fuse(fusion, network.labels, network.logits, landmark.logits)
    return replace(network, logits=logits, thresholds=thresholds)


def mean_at_rest(network: Predictions) -> dict[str, float] | None:
    """Network logits of faces at rest by label, mean over people of their own mean; None where the data does not say who rests."""
    if network.at_rest is None or network.groups is None or not network.at_rest.any():
        return None
    logits, persons = network.logits[network.at_rest], network.groups[network.at_rest]
    own = np.stack([logits[persons == person].mean(axis=0) for person in np.unique(persons)])
    return dict(zip(network.labels, own.astype(np.float64).mean(axis=0).tolist(), strict=True))


def _choose(f1: dict[str, float], fused_share: float, margin: float) -> str:
    better = f1["landmark"] > f1["fused"] + margin
    return "landmark" if better or fused_share == 0 else "fused"


class _OneLabel:
    """Both models' logits of one AU on validation, standardised."""

    def __init__(self, network: Predictions, landmark: Predictions) -> None:
        known = network.known[:, 0]
        self._label, self._truth = network.labels[0], network.truth[known]
        positives, negatives = int(self._truth.sum()), int((1 - self._truth).sum())
        if min(positives, negatives) < MINIMUM_POSITIVES:
            raise InputError(
                f"{self._label} has {positives} positives and {negatives} negatives in validation; fusing needs at least "
                f"{MINIMUM_POSITIVES} of each"
            )
        self._logits = np.stack([network.logits[known, 0], landmark.logits[known, 0]]).astype(np.float64)
        self._mean = self._logits.mean(axis=1)
        self._spread = np.maximum(self._logits.std(axis=1), 1e-6)

    def best_share(self, low: float, high: float) -> float:
        """The share between the bounds with the least negative log-likelihood; of near-ties the most even one."""
        steps = max(1, round((high - low) / _SHARE_STEP))
        shares = np.linspace(low, high, steps + 1)
        losses = np.array([fit_line(self._score(share), self._truth[:, 0]).loss for share in shares])
        close = shares[losses <= losses.min() * 1.002]
        return float(close[np.argmin(np.abs(close - 0.5))])

    def f1(self, share: float) -> float:
        """F1 of a share at its best threshold."""
        logits = self._score(share).astype(np.float32)[:, None]
        predictions = Predictions((self._label,), logits, self._truth, np.array([0.5]))
        return float(count(predictions.with_thresholds(fit_thresholds(predictions))).f1[0])

    def line(self, share: float) -> _Line:
        """The weights of a share, Platt scaling included."""
        fitted = fit_line(self._score(share), self._truth[:, 0])
        network, landmark = fitted.slope * np.array([share, 1 - share]) / self._spread
        bias = fitted.shift - network * self._mean[0] - landmark * self._mean[1]
        return _Line(float(network), float(landmark), float(bias))

    def _score(self, share: float) -> NDArray[np.float64]:
        network, landmark = (self._logits - self._mean[:, None]) / self._spread[:, None]
        score: NDArray[np.float64] = share * network + (1 - share) * landmark
        return score
