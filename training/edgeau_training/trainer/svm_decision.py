"""DRML's own decision at a run's end: linear SVMs on the vector before the classifier, beside the network's answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edgeau.errors import UsageError
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.predictions import UNKNOWN, Predictions
from edgeau_training.postprocessing.linear_svm import fit_svms
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.student import Normaliser, Student
from edgeau_training.trainer.validation import evenly, figures_of

__all__ = ["SVMS", "check_features", "svm_figures"]

SVMS = "svm.npz"
_TRAINED_ON = 20_000  # rows at most (ours): the solver holds them all, and neighbouring frames are alike
_BATCH = 32


def check_features(student: Student) -> None:
    """Raises UsageError where a network has no vector before its classifier."""
    if not hasattr(student.network, "features"):
        raise UsageError(
            f"{type(student.network).__name__} has no vector before its classifier for an SVM; leave out --svm"
        )


def svm_figures(
    student: Student,
    train: LabelledCrops,
    test: LabelledCrops,
    view: CropView,
    normaliser: Normaliser,
    processes: ProcessGroup,
    out: Path,
) -> dict[str, Any]:
    """Fits SVMs on the training side, writes them, and measures them on the test side.

    Args:
        student: in evaluation mode.
        train: labelled crops.
        test: labelled crops.
        view: that the device will see.
        normaliser: normaliser of the network.
        processes: those of the run.
        out: folder of the run.

    Returns:
        As :func:`~edgeau_training.trainer.validation.figures_of`.
    """
    rows = evenly(len(train), _TRAINED_ON)
    features = _features(student, train, rows, view, normaliser, processes)
    svms = fit_svms(features, train.occurrence[rows], train.mask[rows], train.labels)
    svms.save(out / SVMS)
    every = np.arange(len(test))
    scores = svms.scores(_features(student, test, every, view, normaliser, processes))
    truth = np.where(test.mask > 0, test.occurrence, UNKNOWN).astype(np.int8)
    # A score of 0 is a probability of .5.
    return figures_of(Predictions(tuple(test.labels), scores, truth, np.full(len(test.labels), 0.5)))


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
