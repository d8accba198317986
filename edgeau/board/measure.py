"""One artifact on this machine: does it answer as it did where the bundle was made, and what does that cost in F1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeau.board.samples import LabelledSamples
from edgeau.bundle.manifest import Artifact, InputSpec, Measured
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import f1_scores, macro_mean, sigmoid
from edgeau.runtimes.session import Session

__all__ = ["with_accuracy"]


def with_accuracy(
    row: Measured,
    artifact: Artifact,
    session: Session,
    samples: LabelledSamples | None,
    spec: InputSpec,
    labels: tuple[str, ...],
    float_thresholds: Mapping[str, float],
    max_f1_drop: float,
) -> Measured:
    """The row with what the samples say; with a fault where the artifact loses more than it may.

    Args:
        row: with its engine and latency.
        artifact: that the session runs.
        session: already right on the golden answers.
        samples: samples of the bundle, or None where it has none.
        spec: what the network wants.
        labels: labels of the bundle, in output order.
        float_thresholds: thresholds of the float network, per label; those of the artifact may have been fitted again for it.
        max_f1_drop: max f1 drop of the mean F1 below that of the float network, 0..1.
    """
    if samples is None:
        return row
    logits = _logits(session, samples.crops, spec)
    thresholds, of_float = (
        np.array([given[label] for label in labels], np.float32)
        for given in (artifact.thresholds, float_thresholds)
    )
    row = replace(row, count=len(logits), f1_mean=_f1_mean(logits, samples.present, thresholds))
    there = samples.logits.get(artifact.file)
    if there is not None:
        decided = (sigmoid(logits) >= thresholds) != (sigmoid(there) >= thresholds)
        row = replace(
            row,
            max_abs_logit=float(np.abs(logits - there).max()),
            decision_flips=float(decided.mean()),
        )
    return _against_float(row, samples, of_float, max_f1_drop)


def _against_float(
    row: Measured, samples: LabelledSamples, thresholds: NDArray[np.float32], max_f1_drop: float
) -> Measured:
    reference = samples.logits.get("")
    best = None if reference is None else _f1_mean(reference, samples.present, thresholds)
    if best is None or row.f1_mean is None:
        return row
    drop = best - row.f1_mean
    fault = None
    if drop > max_f1_drop:
        fault = f"its F1 mean is {drop:.3f} below that of the float network on {row.count} samples, allowed is {max_f1_drop:g}"
    return replace(row, f1_drop_mean=drop, fault=fault)


def _f1_mean(
    logits: NDArray[np.float32], present: NDArray[np.bool_], thresholds: NDArray[np.float32]
) -> float | None:
    """Mean F1 over the AUs that occur; None where none does. Arrays as in :class:`edgeau.board.samples.LabelledSamples`."""
    mean = macro_mean(f1_scores(sigmoid(logits) >= thresholds, present))
    return None if np.isnan(mean) else mean


def _logits(session: Session, crops: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    preprocessor = Preprocessor(spec)
    return np.concatenate([session.run(preprocessor.batch([crop])) for crop in crops])
