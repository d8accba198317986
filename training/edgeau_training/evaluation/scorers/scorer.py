"""Interface of every model under evaluation."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.provenance import Provenance
from edgeau.faces.alignment import Alignment
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["Scorer", "thresholds_of"]


class Scorer(Protocol):
    """A model that gives logits for faces."""

    @property
    def name(self) -> str:
        """Name of the model, for reports; says so when it is untrained."""

    @property
    def labels(self) -> tuple[str, ...]:
        """AU labels in output order."""

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """Decision thresholds on the probability, float64 ``(C,)``."""

    @property
    def needs_pictures(self) -> bool:
        """True where landmarks alone are not enough."""

    @property
    def alignment(self) -> Alignment | None:
        """Alignment of its crops; None where it sees no pictures."""

    @property
    def provenance(self) -> Provenance | None:
        """Provenance of its weights, as far as that is recorded."""

    @property
    def licences(self) -> tuple[str, ...]:
        """Licences of its weights and what went into them, as far as that is recorded."""

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """Logits float32 ``(N, C)``."""

    def close(self) -> None:
        """Free what the model holds."""


def thresholds_of(labels: tuple[str, ...], fitted: dict[str, Any]) -> NDArray[np.float64]:
    """Thresholds in label order; 0.5 for a label without a fitted one."""
    return np.array([float(fitted.get(label, 0.5)) for label in labels])
