"""A network and a landmark model, fused as a bundle's manifest says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import fuse
from edgeau.bundle.manifest import Fusion
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.scorers.scorer import Scorer

__all__ = ["FusedScorer"]


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
