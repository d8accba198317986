"""Changes that labelled real faces may make in a fusion that was fitted on renders: one bound, and thresholds within limits.

Renders are many and their labels are exact; real faces are few and their labels are one viewer's. So renders fit, and real
faces bound. The rule, ours:

1. The upper bound of the network's share is one number for all AUs: the largest of :attr:`RealFaceRule.bounds` whose mean AUC
   on the real faces is within :attr:`RealFaceRule.auc_margin` of the best one, and that keeps, at the thresholds of point 2, a
   mean recall of at least :attr:`RealFaceRule.mean_recall`, no more false alarms on faces at rest than
   :attr:`RealFaceRule.alarms_at_rest`, and of no AU a larger share of false alarms than :attr:`RealFaceRule.false_positives_of_an_au`;
   where none keeps all three, AUC alone decides.
2. A threshold that was fitted on renders moves up by the smallest shift of its logit that brings the share of false alarms
   on real faces to :attr:`RealFaceRule.false_positive_rate`; at most by :attr:`RealFaceRule.largest_rise` above the highest
   threshold whose F1 on renders is within :attr:`RealFaceRule.flat` of the best (within that, renders do not say where it
   lies: the best one of AU25 moves by more than a logit when INT8 moves answers by a fifth of one), and never so far that recall on real faces falls below :attr:`RealFaceRule.recall` (or below what it was). One that misses more than that
   moves down until it does not, at most by :attr:`RealFaceRule.largest_fall` below the lowest threshold whose F1 on renders is within
   :attr:`RealFaceRule.flat` of the best, while false alarms stay within their share.
   A real face counts as a false alarm already :attr:`RealFaceRule.slack` below the threshold: the same INT8 file answers by that much differently
   from one processor and engine version to the next, and a face that just stays silent on one would be called on the other. Where the INT8
   files themselves differ from the float file by more, that counts: the distance that :data:`WITHIN` percent of their fused logits keep.
3. An AU without labels on the real faces, or with fewer than :attr:`RealFaceRule.positives` real positives or
   :attr:`RealFaceRule.negatives` real negatives, gets the highest threshold whose F1 on renders is within
   :attr:`RealFaceRule.flat` of the best: so few faces cannot show false alarms, and within that margin renders do not say where the
   threshold lies.

Eight shifts from some hundred faces cannot follow single faces far: every one of them is bounded on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import Fusion
from edgeau.errors import InputError
from edgeau.metrics import log_odds, macro_mean, probability
from edgeau_training.evaluation.fusion_fit import FusionFit, FusionRule, fit_fusion, fused_predictions
from edgeau_training.evaluation.metrics import flat_shifts, measure
from edgeau_training.evaluation.predictions import Predictions

__all__ = [
    "WITHIN",
    "BoundedFit",
    "RealFaceRule",
    "TriedBound",
    "bounded_by_real_faces",
    "shifted_fusion",
    "threshold_shifts",
]

WITHIN = 95.0
"""Percent of an artifact's fused logits on renders whose distance from those of the float file is the slack, at least."""

_STEP = 0.01


@dataclass(frozen=True)
class RealFaceRule:
    """Trust in real faces; see the module.

    Attributes:
        bounds: upper bounds of the network's share to choose from, 0..1, descending.
        auc_margin: AUC that a larger bound may cost; on so few faces less than that is noise.
        mean_recall: mean over AUs, 0..1, that a larger bound must keep.
        alarms_at_rest: false alarms on faces at rest, in all their judged decisions, that a larger bound may have.
        false_positives_of_an_au: largest share of false alarms, 0..1, that a larger bound may have of an AU that they judge.
        false_positive_rate: share of false alarms that the threshold of an AU is moved for, 0..1.
        recall: 0..1, that no shift goes below.
        slack: of a logit, by which false alarms must stay below a threshold, at least.
        flat: F1 on renders below the best one, within which thresholds are equally good.
        largest_rise: largest rise of a threshold's logit above the highest of those.
        largest_fall: largest fall of a threshold's logit below the lowest of those.
        positives: real faces that show the AU, fewest that count.
        negatives: real faces that do not show it, fewest that count.
    """

    bounds: tuple[float, ...] = (0.7, 0.6, 0.5, 0.4)
    auc_margin: float = 0.002
    mean_recall: float = 0.91
    alarms_at_rest: int = 2
    false_positives_of_an_au: float = 0.05
    false_positive_rate: float = 0.035
    recall: float = 0.9
    slack: float = 0.1
    flat: float = 0.005
    largest_rise: float = 4.0
    largest_fall: float = 0.5
    positives: int = 4
    negatives: int = 10


@dataclass(frozen=True)
class TriedBound:
    """A fusion that was fitted on renders within one bound of the network's share, and what real faces say of it.

    Attributes:
        fit: fit of renders, with its thresholds as renders alone would have them.
        shifts: shifts of the thresholds' logits per label; above 0 is up.
        real: on real faces, at the shifted thresholds.
        auc: mean AUC on real faces.
        slack: of a logit, by which false alarms stayed below the thresholds where they could.
    """

    fit: FusionFit
    shifts: dict[str, float]
    real: Predictions
    auc: float
    slack: float

    @property
    def mean_recall(self) -> float:
        """Mean over the AUs that any real face shows of the share of those faces that are called."""
        present = self.real.truth == 1
        counts = present.sum(axis=0)
        shown = counts > 0
        recalls: NDArray[np.float64] = (self.real.decisions & present).sum(axis=0)[shown] / counts[shown]
        return float(recalls.mean()) if shown.any() else 0.0

    def false_positive_rates(self, rule: RealFaceRule) -> dict[str, float]:
        """Share of the real faces that do not show an AU of which it is called, of each AU that they judge."""
        tables = {label: self.real.select([label]) for label in self.real.labels}
        return {
            label: float(table.decisions[table.truth == 0].mean())
            for label, table in tables.items()
            if _says_enough(table, rule)
        }

    def is_good(self, rule: RealFaceRule) -> bool:
        """Tell whether enough of what is shown is found, little else is called, and faces at rest are silent where the data says which those are."""
        alarms = self.real.alarms_at_rest
        return (
            self.mean_recall >= rule.mean_recall
            and (alarms is None or alarms[0] <= rule.alarms_at_rest)
            and max(self.false_positive_rates(rule).values(), default=0.0) <= rule.false_positives_of_an_au
        )


@dataclass(frozen=True)
class BoundedFit:
    """A fusion that was fitted on renders within the bounds that real faces gave.

    Attributes:
        bound: upper bound of the network's share that was chosen.
        tried: every bound of the rule.
    """

    bound: float
    tried: dict[float, TriedBound]

    @property
    def chosen(self) -> TriedBound:
        """The fusion with the bound that was chosen."""
        return self.tried[self.bound]


def bounded_by_real_faces(
    network: Predictions,
    landmark: Predictions,
    real_network: Predictions,
    real_landmark: Predictions,
    *,
    low: float = 0.0,
    margin: float = FusionRule.margin,
    rule: RealFaceRule | None = None,
    others: Sequence[Predictions] = (),
) -> BoundedFit:
    """Fit a fusion on renders, bounded by real faces.

    Args:
        network: on renders.
        landmark: on the same renders.
        real_network: on real faces, of some of the same AUs.
        real_landmark: on the same real faces.
        low: lower bound of the network's share.
        margin: see :class:`~edgeau_training.evaluation.fusion_fit.FusionRule`.
        rule: None takes the defaults.
        others: of other files of the same network on the same renders, such as INT8: thresholds are chosen for all of them.

    Raises:
        InputError: the tables are not of the same faces, or no AU of the real faces is labelled on both sides.
    """
    rule = rule or RealFaceRule()
    tried = {}
    for bound in rule.bounds:
        fit = fit_fusion(network, landmark, FusionRule((low, bound), margin))
        real = _on_real_faces(fit, real_network, real_landmark)
        renders, *same = (
            fused_predictions(one, landmark, fit.fusion, fit.thresholds) for one in (network, *others)
        )
        slack = max(rule.slack, *(_distance(renders, other) for other in same), 0.0)
        shifts = threshold_shifts(real, renders, replace(rule, slack=slack))
        auc = float(macro_mean(measure(real).auc))
        tried[bound] = TriedBound(fit, shifts, _moved(real, shifts), auc, slack)
    if not np.isfinite([one.auc for one in tried.values()]).all():
        raise InputError("no AU of the real faces has both faces that show it and faces that do not")
    best = max(one.auc for one in tried.values())
    near = [bound for bound in sorted(tried, reverse=True) if tried[bound].auc >= best - rule.auc_margin]
    good = [bound for bound in near if tried[bound].is_good(rule)]
    return BoundedFit((good or near)[0], tried)


def _distance(one: Predictions, other: Predictions) -> float:
    """Distance of two files' logits on the same faces that :data:`WITHIN` percent of them keep."""
    return float(np.percentile(np.abs(one.logits - other.logits), WITHIN))


def _moved(real: Predictions, shifts: dict[str, float]) -> Predictions:
    moved = [
        probability(log_odds(float(one)) + shifts[label])
        for label, one in zip(real.labels, real.thresholds, strict=True)
    ]
    return real.with_thresholds(np.array(moved))


def threshold_shifts(
    real: Predictions, renders: Predictions, rule: RealFaceRule | None = None
) -> dict[str, float]:
    """Compute how far the logit of each threshold moves, by label of the renders; above 0 is up.

    Args:
        real: on real faces, at the thresholds that were fitted on renders.
        renders: on those, at the same thresholds, of the same AUs or more.
        rule: None takes the defaults.
    """
    rule = rule or RealFaceRule()
    limits = zip(renders.labels, flat_shifts(renders, rule.flat).tolist(), strict=True)
    return {
        label: _shift(real.select([label]), low - rule.largest_fall, high + rule.largest_rise, rule)
        if label in real.labels and _says_enough(real.select([label]), rule)
        else high
        for label, (low, high) in limits
    }


def shifted_fusion(fusion: Fusion, shifts: dict[str, float]) -> Fusion:
    """The fusion whose own thresholds decide as if each had been moved: its logits move the other way.

    A probability near the threshold then stays near it, and an AU that renders call too often becomes less probable, not only
    less often active.
    """
    bias = {label: value - shifts.get(label, 0.0) for label, value in fusion.bias.items()}
    return replace(fusion, bias=bias)


def _on_real_faces(fit: FusionFit, network: Predictions, landmark: Predictions) -> Predictions:
    everywhere = tuple(fit.choice)
    columns = [everywhere.index(label) for label in network.labels]
    return fused_predictions(network, landmark, fit.fusion, fit.thresholds[columns])


def _says_enough(real: Predictions, rule: RealFaceRule) -> bool:
    """Tell whether so many faces show the AU, and so many do not, that its threshold may be moved by them."""
    truth = real.truth[:, 0]
    return bool((truth == 1).sum() >= rule.positives and (truth == 0).sum() >= rule.negatives)


def _shift(real: Predictions, lowest: float, highest: float, rule: RealFaceRule) -> float:
    truth, logits = real.truth[:, 0], real.logits[:, 0].astype(np.float64)
    present, absent = logits[truth == 1], logits[truth == 0]
    threshold = log_odds(float(real.thresholds[0]))

    def recall(shift: float) -> float:
        return float((present >= threshold + shift).mean())

    def false_alarms(shift: float) -> float:
        return float((absent >= threshold + shift - rule.slack).mean())

    shift = 0.0
    if recall(0) < rule.recall:
        for step in _steps(-lowest):
            if false_alarms(-step) > rule.false_positive_rate:
                break
            shift = -step
            if recall(-step) >= rule.recall:
                break
        return shift
    for step in _steps(highest):
        if recall(step) < rule.recall:
            break
        shift = step
        if false_alarms(step) <= rule.false_positive_rate:
            break
    return shift


def _steps(largest: float) -> list[float]:
    return [round(step * _STEP, 2) for step in range(int(largest / _STEP + 1e-6) + 1)]
