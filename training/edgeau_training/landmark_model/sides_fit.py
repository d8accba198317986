"""The fit of a landmark model's sides: ridge regression of what the left half shows on the whole shape.

Every face counts together with its mirror image, in which left and right labels change places. In these data the mean of both
sides' intensities has to do with the symmetric half of the shape alone, and half their difference with the antisymmetric one:
the regression falls apart into two of the same size as the two-sided model's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.landmark_sides import LandmarkSides
from edgeau_training.evaluation.metrics import fit_thresholds
from edgeau_training.evaluation.platt import fit_line
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.landmark_model.moments import fit_weights, gather
from edgeau_training.landmark_model.samples import SidedSamples
from edgeau_training.landmark_model.template import Template, mirror_pairs

__all__ = ["fit_sides", "sided_predictions", "with_sides"]


def fit_sides(
    model: LandmarkModel,
    template: Template,
    train: SidedSamples,
    validation: SidedSamples,
    ridge: float,
    nuisance: float,
) -> LandmarkSides:
    """Fit weights on training faces; scale, logits and thresholds on validation faces.

    Args:
        model: two-sided, on the same template.
        template: template of both.
        train: with labels of both sides.
        validation: faces of other people.
        ridge: penalty on standardised weights.
        nuisance: see :mod:`edgeau_training.landmark_model.moments`.
    """
    common = gather(train.landmarks, train.mean, template.symmetric)
    apart = gather(train.landmarks, train.half_difference, template.antisymmetric)
    parts = [fit_weights(moments, ridge, nuisance) for moments in (common, apart)]
    sides = _on_intensity_scale(model, template, parts, validation)
    sides = _with_logits(sides, model, validation)
    thresholds = fit_thresholds(sided_predictions(sides, model, validation)).astype(np.float32)
    return replace(sides, thresholds=thresholds)


def with_sides(
    model: LandmarkModel, train: SidedSamples, validation: SidedSamples, ridge: float, nuisance: float
) -> LandmarkModel:
    """An existing model that also tells left from right; what it says of both sides together stays as it is.

    Args:
        model: two-sided; sides that it has are replaced.
        train: with labels of both sides.
        validation: faces of other people.
        ridge: as for :func:`fit_sides`.
        nuisance: likewise.
    """
    points = model.template.astype(np.float64)
    template = Template(points, model.stability.astype(np.float64), mirror_pairs(points))
    return replace(model, sides=fit_sides(model, template, train, validation, ridge, nuisance))


def sided_predictions(sides: LandmarkSides, model: LandmarkModel, samples: SidedSamples) -> Predictions:
    """Predictions of 2N half faces: all left ones, then all right ones."""
    logits = sides.logits(model.shape(samples.landmarks) - model.neutral)
    return Predictions(
        sides.labels,
        np.concatenate((logits[:, 0], logits[:, 1])),
        np.concatenate((samples.truth[:, 0], samples.truth[:, 1])),
        sides.thresholds.astype(np.float64),
        np.concatenate((samples.identities, samples.identities)),
    )


def _on_intensity_scale(
    model: LandmarkModel, template: Template, parts: list[NDArray[np.float64]], validation: SidedSamples
) -> LandmarkSides:
    """Undo the shrinking of both parts: least squares from their evidence to the true intensities of either side."""
    difference = (model.shape(validation.landmarks) - model.neutral).reshape(len(validation.landmarks), -1)
    common, apart = (difference @ part for part in parts)
    count = len(validation.labels)
    weights, bias = np.empty((count, MESH_POINTS, 3), np.float32), np.empty(count, np.float32)
    for column in range(count):
        rows = [
            np.stack((common[:, column], sign * apart[:, column], np.ones(len(common))), axis=1)
            for sign in (1, -1)  # the left side, the right side
        ]
        wanted = validation.intensities[:, :, column].T.ravel()
        (both, differing, offset), *_ = np.linalg.lstsq(np.concatenate(rows), wanted, rcond=None)
        weights[column] = (both * parts[0][:, column] + differing * parts[1][:, column]).reshape(-1, 3)
        bias[column] = offset
    ones = np.ones(count, np.float32)
    # Stored in half precision later: round now, so that all that follows is fitted to what will be loaded.
    rounded = weights.astype(np.float16).astype(np.float32)
    return LandmarkSides(validation.labels, template.mirror, rounded, bias, ones, 0 * ones, 0.5 * ones)


def _with_logits(sides: LandmarkSides, model: LandmarkModel, validation: SidedSamples) -> LandmarkSides:
    seen = sided_predictions(sides, model, validation)
    lines = [fit_line(seen.logits[:, column], seen.truth[:, column]) for column in range(len(sides.labels))]
    return replace(
        sides,
        slope=np.array([line.slope for line in lines], np.float32),
        shift=np.array([line.shift for line in lines], np.float32),
    )
