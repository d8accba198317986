"""DRML's own decision at a run's end: linear SVMs on the vector before the classifier, in the classifier's place.

An SVM's signed distance stands where the logit stood: 0, a probability of .5, is its decision. The network that answers so is a
checkpoint of its own, which is exported and measured like any other.
"""

from __future__ import annotations

from copy import deepcopy
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgeau.errors import UsageError
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.predictions import UNKNOWN, Predictions
from edgeau_training.postprocessing.linear_svm import LinearSVMs, fit_svms
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.student import Normaliser, Student
from edgeau_training.trainer.validation import evenly

__all__ = ["check_features", "decided_by_svms", "with_classifier"]

_TRAINED_ON = 20_000  # rows at most (ours): the solver holds them all, and neighbouring frames are alike
_BATCH = 32


def check_features(student: Student) -> None:
    """Raises UsageError where a network has no vector before its classifier."""
    network = student.network
    if not hasattr(network, "features") or not isinstance(getattr(network, "classifier", None), nn.Linear):
        raise UsageError(
            f"{type(network).__name__} has no vector before its classifier for an SVM; leave out --svm"
        )


def decided_by_svms(
    student: Student,
    train: LabelledCrops,
    test: LabelledCrops,
    view: CropView,
    normaliser: Normaliser,
    processes: ProcessGroup,
) -> tuple[nn.Module, Predictions]:
    """Fits SVMs on the training side and puts them in the place of the classifier.

    Args:
        student: in evaluation mode.
        train: labelled crops.
        test: labelled crops.
        view: that the device will see.
        normaliser: normaliser of the network.
        processes: those of the run.

    Returns:
        The network with its new classifier, and its answers on the test side, at thresholds of .5.
    """
    rows = evenly(len(train), _TRAINED_ON)
    features = _features(student, train, rows, view, normaliser, processes)
    svms = fit_svms(features, train.occurrence[rows], train.mask[rows], train.labels)
    every = np.arange(len(test))
    scores = svms.scores(_features(student, test, every, view, normaliser, processes))
    truth = np.where(test.mask > 0, test.occurrence, UNKNOWN).astype(np.int8)
    return with_classifier(student.network, svms), Predictions(
        tuple(test.labels), scores, truth, np.full(len(test.labels), 0.5)
    )


def with_classifier(network: nn.Module, svms: LinearSVMs) -> nn.Module:
    """A copy of a network whose last layer gives the SVMs' signed distances."""
    copy = deepcopy(network)
    layer = cast("nn.Linear", copy.get_submodule("classifier"))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(svms.weights))
        layer.bias.copy_(torch.from_numpy(svms.intercepts))
    return copy


def _features(
    student: Student,
    data: LabelledCrops,
    rows: NDArray[np.int64],
    view: CropView,
    normaliser: Normaliser,
    processes: ProcessGroup,
) -> NDArray[np.float32]:
    """float32 ``(n, D)``."""
    with torch.inference_mode():
        parts = [
            student.features(normaliser(images.to(processes.device))).float().cpu().numpy()
            for images in plain_images(data, rows, view, _BATCH)
        ]
    return np.concatenate(parts)
