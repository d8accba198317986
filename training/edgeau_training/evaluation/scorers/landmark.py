"""Scorers of the landmark model, alone and fused with a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import fuse
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle.manifest import Fusion
from edgeau.errors import InputError
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.scorers.scorer import Scorer

__all__ = ["FusedScorer", "LandmarkScorer"]


class LandmarkScorer:
    """A landmark model's ``.npz``.

    Raises:
        BundleError: the file is missing or damaged.
    """

    needs_pictures = False
    alignment = None
    provenance = None

    def __init__(self, path: Path) -> None:
        self._model = LandmarkModel.load(path)
        self.labels = self._model.labels
        self.thresholds = self._model.thresholds.astype(np.float64)
        self.licences = tuple(str(licence) for licence in self._model.info.get("licences", ()))
        self.name = path.name

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """See :class:`~edgeau_training.evaluation.scorers.scorer.Scorer`."""
        if batch.landmarks is None:
            raise InputError(
                f"{self.name} reads landmarks, and this data has aligned crops without them; evaluate the network alone "
                "(--part network) or give whole pictures"
            )
        return self._model.logits(batch.landmarks)

    def close(self) -> None:
        """Nothing is held beyond memory."""


class FusedScorer:
    """The landmark model must have all labels of the network; it may order them otherwise.

    Args:
        network: needs pictures.
        landmark: needs landmarks.
        fusion: weights per label.
        thresholds: float64 ``(C,)``, fitted for the fused logits.
    """

    needs_pictures = True

    def __init__(
        self, network: Scorer, landmark: Scorer, fusion: Fusion, thresholds: NDArray[np.float64]
    ) -> None:
        self._network, self._landmark, self._fusion = network, landmark, fusion
        self.labels = network.labels
        self.alignment, self.provenance = network.alignment, network.provenance
        self.licences = tuple(dict.fromkeys((*network.licences, *landmark.licences)))
        self.thresholds = thresholds
        self.name = f"{network.name} + {landmark.name}"

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """See :class:`~edgeau_training.evaluation.scorers.scorer.Scorer`."""
        landmark = self._landmark.logits(batch)[
            :, [self._landmark.labels.index(label) for label in self.labels]
        ]
        return fuse(self._fusion, self.labels, self._network.logits(batch), landmark)

    def close(self) -> None:
        """Close both."""
        self._network.close()
        self._landmark.close()
