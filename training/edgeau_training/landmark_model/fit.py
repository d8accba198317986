"""The whole fit: template, weights, and, on validation, what turns weights into intensities, logits and decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau_training.evaluation.metrics import fit_thresholds
from edgeau_training.evaluation.platt import fit_line
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.landmark_model.moments import Moments, fit_weights, gather
from edgeau_training.landmark_model.samples import Samples, SidedSamples
from edgeau_training.landmark_model.sides_fit import fit_sides
from edgeau_training.landmark_model.template import Template, learn_template, mirrored_mean

__all__ = ["Settings", "fit_landmark_model", "predictions_of"]

_TEMPLATE_FACES = 3000  # the mean face does not change beyond


@dataclass(frozen=True)
class Settings:
    """Settings that are chosen by hand.

    Attributes:
        ridge: penalty on standardised weights.
        nuisance: how often the covariance that AUs do not explain is added; see
            :mod:`edgeau_training.landmark_model.moments`.
    """

    ridge: float = 0.01
    nuisance: float = 4.0


def fit_landmark_model(
    train: Samples,
    validation: Samples,
    labels: tuple[str, ...],
    settings: Settings,
    info: dict[str, Any],
    sided: tuple[SidedSamples, SidedSamples] | None = None,
) -> LandmarkModel:
    """Fit weights on training faces; scale, logits and thresholds on validation faces.

    Args:
        train: what the weights are fitted on.
        validation: faces of other people.
        labels: C AU labels, the columns of both.
        settings: see there.
        info: kept in the model's file.
        sided: the faces of both with labels of their sides, where there are such.
    """
    template = learn_template(train.landmarks[:_TEMPLATE_FACES])
    moments = gather(train.landmarks, train.intensities, template.symmetric)
    raw = _unscaled(template, moments, fit_weights(moments, settings.ridge, settings.nuisance), labels)
    model = _to_intensity_scale(raw, validation)
    model = _with_logits(model, validation)
    thresholds = fit_thresholds(predictions_of(model, validation)).astype(np.float32)
    sides = None
    if sided is not None:
        sides = fit_sides(model, template, *sided, settings.ridge, settings.nuisance)
    return replace(model, thresholds=thresholds, info=info, sides=sides)


def predictions_of(model: LandmarkModel, samples: Samples) -> Predictions:
    """A model's predictions on samples with its labels."""
    logits = model.logits(samples.landmarks)
    return Predictions(
        model.labels, logits, samples.truth, model.thresholds.astype(np.float64), samples.identities
    )


def _unscaled(
    template: Template, moments: Moments, weights: NDArray[np.float64], labels: tuple[str, ...]
) -> LandmarkModel:
    """Regression as it came: intensities are shrunk towards their mean, logits are not fitted yet."""
    count = len(labels)
    cubes = weights.T.reshape(count, MESH_POINTS, 3)
    bias = moments.mean_intensities + (moments.neutral - moments.mean) @ weights
    ones = np.ones(count, np.float32)
    return LandmarkModel(
        labels=labels,
        template=template.points.astype(np.float32),
        stability=template.weights.astype(np.float32),
        neutral=(template.points + moments.neutral.reshape(MESH_POINTS, 3)).astype(np.float32),
        # Stored in half precision later: round now, so that everything below is fitted to what will be loaded.
        weights=mirrored_mean(cubes, template.mirror).astype(np.float16).astype(np.float32),
        bias=bias.astype(np.float32),
        slope=ones,
        shift=0 * ones,
        thresholds=0.5 * ones,
        info={},
    )


def _to_intensity_scale(model: LandmarkModel, validation: Samples) -> LandmarkModel:
    """Undo the shrinking: the least-squares line from evidence to true intensity, per AU."""
    evidence = model.logits(validation.landmarks).astype(np.float64)  # slope 1, shift 0: the evidence itself
    centred = evidence - evidence.mean(axis=0)
    truth = validation.intensities.astype(np.float64)
    gain = (centred * (truth - truth.mean(axis=0))).sum(axis=0) / (centred**2).sum(axis=0)
    offset = truth.mean(axis=0) - gain * evidence.mean(axis=0)
    weights = (model.weights * gain[:, None, None]).astype(np.float16).astype(np.float32)
    return replace(model, weights=weights, bias=(gain * model.bias + offset).astype(np.float32))


def _with_logits(model: LandmarkModel, validation: Samples) -> LandmarkModel:
    evidence, truth = model.logits(validation.landmarks), validation.truth
    lines = [fit_line(evidence[:, column], truth[:, column]) for column in range(len(model.labels))]
    slope = np.array([line.slope for line in lines], np.float32)
    return replace(model, slope=slope, shift=np.array([line.shift for line in lines], np.float32))
