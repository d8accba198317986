"""Labelled faces for an export: thresholds are fitted on one split, F1 is reported on another, alone and fused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.fusion import Fuser
from edgeau.action_units.labelled_pictures import LabelledPictures, read_labelled_pictures
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle.manifest import Accuracy
from edgeau.metrics import f1_scores, fitted_thresholds, sigmoid
from edgeau_calibration.data.labelled import EvaluationFaces, labelled_faces, labelled_splits
from edgeau_calibration.data.labelled_table import divided, table_faces
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.network import NetworkDescription

Fuse = Callable[[NDArray[np.float32]], NDArray[np.float32]]

__all__ = ["LabelledData", "PublishedSet", "Scored", "f1_by_label", "labelled_data"]


@dataclass(frozen=True)
class PublishedSet:
    """A data set by name.

    Attributes:
        name: one that has a licence in :data:`~edgeau_training.datasets.LICENCES`.
        root: its folder.
        options: options of its reader; those that the network was trained with stand in for what is not given.
    """

    name: str
    root: Path
    options: Mapping[str, Any] = field(default_factory=dict)


# Faces of a split at the least: F1 of fewer says nothing.
_LEAST = 20


@dataclass(frozen=True)
class Scored:
    """One part (the network alone, or fused) of a graph, at its own thresholds.

    Attributes:
        thresholds: float32 ``(C,)``, fitted on ``val``.
        f1: on ``test``, ``(C,)``, NaN where an AU has no positive.
    """

    thresholds: NDArray[np.float32]
    f1: NDArray[np.float64]

    def drop(self, of_float: Scored) -> NDArray[np.float64]:
        """Float F1 minus this, per label."""
        return of_float.f1 - self.f1


@dataclass(frozen=True)
class LabelledData:
    """Two splits.

    Attributes:
        description: description of the network; its labels and thresholds.
        val: to search and to fit thresholds on.
        test: to report on.
        fuse_val: network logits of ``val`` to fused ones; None where nothing is fused.
        fuse_test: the same of ``test``.
    """

    description: NetworkDescription
    val: EvaluationFaces
    test: EvaluationFaces
    fuse_val: Fuse | None = None
    fuse_test: Fuse | None = None

    @property
    def fuses(self) -> bool:
        """True where the bundle fuses network and landmarks."""
        return self.fuse_val is not None

    def parts(self, on_val: NDArray[np.float32], on_test: NDArray[np.float32]) -> dict[str, Scored]:
        """The network alone, and fused where the bundle fuses, from the network's logits ``(n, C)`` on both splits."""
        alone = self.description.thresholds
        parts = {"network alone": self._scored(on_val, on_test, alone)}
        if self.fuse_val is not None and self.fuse_test is not None:
            fused = self.description.fused_thresholds or alone
            parts["network and landmarks fused"] = self._scored(
                self.fuse_val(on_val), self.fuse_test(on_test), fused
            )
        return parts

    def accuracy(self, scored: Scored, of_float: Scored, part: str, engine: str) -> Accuracy:
        """Convert to the manifest's record; ``engine`` gave the answers."""
        drops = scored.drop(of_float)
        return Accuracy(
            data=f"{self.test.source}; {part}; SHA-256 {self.test.crops.digest[:16]}",
            count=len(self.test),
            f1=f1_by_label(self.description.labels, scored.f1),
            f1_mean=float(np.nanmean(scored.f1)),
            f1_drop_mean=float(np.nanmean(drops)),
            f1_drop_max=float(np.nanmax(drops)),
            engine=engine,
        )

    def by_label(self, thresholds: NDArray[np.float32]) -> dict[str, float]:
        """Thresholds as the manifest has them."""
        return dict(zip(self.description.labels, thresholds.tolist(), strict=True))

    def _scored(
        self, on_val: NDArray[np.float32], on_test: NDArray[np.float32], old: dict[str, float]
    ) -> Scored:
        otherwise = self.description.in_order(old)
        fitted = fitted_thresholds(sigmoid(on_val), self.val.present, otherwise, self.val.known)
        thresholds = fitted.astype(np.float32)
        decided = sigmoid(on_test) >= thresholds
        return Scored(thresholds, f1_scores(decided, self.test.present, self.test.known))


def f1_by_label(labels: Sequence[str], f1: NDArray[np.float64]) -> dict[str, float | None]:
    """F1 ``(C,)`` as the manifest has it: None where it is NaN, since the label had no positive."""
    return {label: None if np.isnan(value) else float(value) for label, value in zip(labels, f1, strict=True)}


def labelled_data(
    path: Path | None,
    description: NetworkDescription,
    progress: ProgressReporter | None = None,
    limit: int | None = None,
) -> LabelledData | None:
    """Labelled faces of a table or a synthetic data set; None where the path is none, or has no labels to measure on.

    Args:
        path: what the user gave to calibrate on.
        description: description of the network.
        progress: says why the labels of a table cannot be measured on; None is silent.
        limit: faces of each split of a synthetic data set at most; None takes all.

    Raises:
        CalibrationError: a data set that is damaged, or has no labels for an AU of the network.
    """
    if path is None:
        return None
    table = path if path.suffix.lower() == ".csv" else path / "labels.csv"
    if table.is_file():
        faces = _of_table(table, description, progress or ProgressReporter(silent=True))
    elif path.is_dir() and labelled_splits(path):
        faces = [
            labelled_faces(path, split, description.labels, description.alignment, limit)
            for split in ("val", "test")
        ]
    else:
        return None
    if not faces:
        return None
    val, test = faces
    return LabelledData(description, val, test, _fuse(description, val), _fuse(description, test))


def _of_table(
    table: Path, description: NetworkDescription, progress: ProgressReporter
) -> list[EvaluationFaces]:
    """Faces of ``val`` and ``test``; none, and a notice, where they cannot be measured on."""
    found = divided(read_labelled_pictures(table))
    reason = _unusable(found, description)
    if not reason:
        val, test = (
            table_faces(found, split, description.labels, description.alignment) for split in ("val", "test")
        )
        progress.left_out((*val.problems, *test.problems))
        measured = _measured_labels(test, description)
        if not measured:
            reason = f"no label of the network is both present and absent in its {len(test)} test faces"
        else:
            unmeasured = [label for label in description.labels if label not in measured]
            if unmeasured:
                progress.notice(
                    f"{table.name}: F1 of {', '.join(unmeasured)} cannot be measured on its test faces"
                )
            return [val, test]
    progress.notice(f"the labels of {table.name} do not set the INT8 budget: {reason}")
    return []


def _unusable(found: LabelledPictures, description: NetworkDescription) -> str:
    """Why a table's labels cannot be measured on; empty where they can."""
    if not set(found.labels) & set(description.labels):
        return f"it has {', '.join(found.labels)}, the network has {', '.join(description.labels)}"
    if found.split is None:
        return f"{len(np.unique(found.groups))} persons cannot be divided into three parts"
    absent = [split for split in ("val", "test") if found.split.count(split) < _LEAST]
    if absent:
        return f"its split {' and '.join(absent)} has fewer than {_LEAST} pictures (val sets thresholds, test measures)"
    return ""


def _measured_labels(faces: EvaluationFaces, description: NetworkDescription) -> list[str]:
    known = np.ones_like(faces.present) if faces.known is None else faces.known
    both = (faces.present & known).any(axis=0) & (~faces.present & known).any(axis=0)
    return [label for label, measured in zip(description.labels, both, strict=True) if measured]


def _fuse(description: NetworkDescription, faces: EvaluationFaces) -> Fuse | None:
    if description.fusion is None or description.landmark_model is None:
        return None
    model = LandmarkModel.load(description.landmark_model)
    columns = [model.labels.index(label) for label in description.labels]
    if faces.landmarks is None:  # crops that came ready
        return None
    of_landmarks = model.logits(faces.landmarks)[:, columns]
    fuser = Fuser(description.fusion, description.labels)
    return lambda logits: fuser.fuse(logits, of_landmarks)
