"""DRML's decision: one linear SVM per AU on the activations of its layer fc9.

The poster names feature and classifier and no settings; L2 penalty, squared hinge, C = 1 and balanced classes are ours, and so is
the scale: activations are divided by their mean length over the training rows. That scale is one number, so that the decision is
one linear layer, and a network whose classifier it replaces is deployed like any other.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from edgeau.errors import InputError

__all__ = ["LinearSVMs", "OneClassWarning", "fit_svms"]


class OneClassWarning(UserWarning):
    """An AU is always or never present in the training rows, so there is nothing to separate."""


@dataclass(frozen=True)
class LinearSVMs:
    """C linear classifiers of D features.

    Attributes:
        labels: C AU labels.
        weights: float32 ``(C, D)``, for features as the network gives them.
        intercepts: float32 ``(C,)``.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def scores(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Signed distances from the margin's middle, float32 ``(N, C)``; an AU is present from 0 on.

        Args:
            features: ``(N, D)``.

        Raises:
            InputError: the features are of another network.
        """
        if features.ndim != 2 or features.shape[1] != self.weights.shape[1]:
            raise InputError(
                f"these SVMs take {self.weights.shape[1]} features per face, got an array {features.shape}"
            )
        return np.asarray(features @ self.weights.T + self.intercepts, np.float32)


def fit_svms(
    features: NDArray[np.floating[Any]],
    occurrence: NDArray[np.integer[Any]],
    mask: NDArray[np.integer[Any]],
    labels: Sequence[str],
    seed: int = 0,
) -> LinearSVMs:
    """One SVM per AU, on the rows in which the AU is known.

    Args:
        features: ``(N, D)``, fc9 in evaluation mode.
        occurrence: ``(N, C)``, 0 or 1.
        mask: ``(N, C)``, 1 where known.
        labels: C AU labels.
        seed: seed of the solver.
    """
    length = float(np.linalg.norm(features, axis=1).mean()) or 1.0
    scaled = features / length
    fitted = [
        _fit_one(scaled, occurrence[:, c], mask[:, c] > 0, label, seed) for c, label in enumerate(labels)
    ]
    weights, intercepts = (np.array(part, np.float32) for part in zip(*fitted, strict=True))
    return LinearSVMs(tuple(labels), weights / np.float32(length), intercepts)


def _fit_one(
    scaled: NDArray[np.floating[Any]],
    present: NDArray[np.integer[Any]],
    known: NDArray[np.bool_],
    label: str,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    truth = present[known]
    if len(np.unique(truth)) < 2:
        always = bool(len(truth)) and bool(truth[0])
        warnings.warn(
            f"{label} is {'always' if always else 'never'} present in the training rows; its SVM says so for every face",
            OneClassWarning,
            stacklevel=3,
        )
        return np.zeros(scaled.shape[1]), 1.0 if always else -1.0
    svm = LinearSVC(C=1.0, loss="squared_hinge", class_weight="balanced", dual="auto", random_state=seed)
    svm.fit(scaled[known], truth)
    return svm.coef_[0], float(svm.intercept_[0])
