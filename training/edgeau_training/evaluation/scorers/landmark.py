"""The landmark model: no pictures needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["LandmarkScorer"]


class LandmarkScorer:
    """A landmark model's ``.npz``.

    Raises:
        BundleError: the file is missing or damaged.
    """

    needs_pictures = False

    def __init__(self, path: Path) -> None:
        self._model = LandmarkModel.load(path)
        self.labels = self._model.labels
        self.thresholds = self._model.thresholds.astype(np.float64)
        self.name = path.name

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """See :class:`~edgeau_training.evaluation.scorers.scorer.Scorer`."""
        return self._model.logits(batch.landmarks)

    def close(self) -> None:
        """Nothing is held beyond memory."""
