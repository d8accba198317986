"""Validation: logits of a split, and F1 at fitted thresholds and AUC from them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edgeau_training.augmentation import View
from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.evaluation.metrics import macro, measure
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.thresholds import fit_thresholds
from edgeau_training.trainer.batches import plain_batches
from edgeau_training.trainer.geometry_targets import GeometryTargets
from edgeau_training.trainer.student import Student, normalise

__all__ = ["predict", "validate"]


def predict(
    student: Student,
    faces: SyntheticFaces,
    targets: GeometryTargets,
    view: View,
    threads: int = 1,
    size: int = 32,
) -> NDArray[np.float32]:
    """Logits ``(N, C)`` of centrally cut faces.

    Args:
        student: in evaluation mode.
        faces: N of them.
        targets: only to form batches.
        view: resolution and field.
        threads: batches computed at once.
        size: faces a batch.
    """

    def logits(images: torch.Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():  # per thread
            return np.asarray(student.logits(normalise(images), view.field).numpy(), np.float32)

    with ThreadPoolExecutor(threads, "predict") as pool:
        images = [batch.images for batch in plain_batches(faces, targets, view, size)]
        return np.concatenate(list(pool.map(logits, images)))


def validate(
    student: Student, faces: SyntheticFaces, targets: GeometryTargets, view: View, *, threads: int = 1
) -> dict[str, Any]:
    """Figures of a split, with thresholds fitted on that same split: a yardstick for training, not a result.

    Returns:
        ``f1``, ``f1_at_half`` and ``auc`` (means over AUs), ``per_au`` and ``thresholds``.
    """
    logits = predict(student, faces, targets, view, threads=threads)
    plain = Predictions(
        faces.labels, logits, faces.occurrence.astype(np.int8), np.full(len(faces.labels), 0.5)
    )
    thresholds = fit_thresholds(plain)
    fitted = measure(plain.with_thresholds(thresholds))
    return {
        "faces": len(faces),
        "f1": round(macro(fitted.f1), 4),
        "f1_at_half": round(macro(measure(plain).f1), 4),
        "auc": round(macro(fitted.auc), 4),
        "per_au": {
            label: {"f1": _number(f1), "auc": _number(auc)}
            for label, f1, auc in zip(faces.labels, fitted.f1, fitted.auc, strict=True)
        },
        "thresholds": {
            label: round(float(value), 6) for label, value in zip(faces.labels, thresholds, strict=True)
        },
    }


def _number(value: float) -> float | None:
    """Rounded, or None where the split cannot say."""
    return round(float(value), 4) if np.isfinite(value) else None
