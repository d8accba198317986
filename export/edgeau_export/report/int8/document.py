"""The report as one JSON document: what the page shows, and nothing that it does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.records import to_dict
from edgeau.bundle.manifest import Artifact, Manifest
from edgeau.metrics import sigmoid
from edgeau_calibration.evaluation.accuracy import flips_interval
from edgeau_export.report.int8.f1_intervals import RESAMPLES, Scores, score
from edgeau_export.report.int8.flips import binomial_interval, flipped_decisions
from edgeau_export.report.int8.inputs import ArtifactAnswers, Inside, Labelled, ReportInputs

__all__ = ["FORMAT", "document"]

FORMAT = 1


def document(
    manifest: Manifest, float_thresholds: Mapping[str, float], inputs: ReportInputs
) -> dict[str, Any]:
    """Plain JSON values; what is undefined or was not measured is null.

    Args:
        manifest: manifest of the bundle.
        float_thresholds: thresholds of the float network, per label.
        inputs: what was measured.
    """
    before = _in_order(float_thresholds, manifest.labels)
    return {
        "format": FORMAT,
        "edgeau_version": manifest.edgeau_version,
        "target": manifest.target,
        "network": to_dict(manifest.network),
        "labels": list(manifest.labels),
        "artifacts": [_artifact(item, manifest, before, inputs) for item in manifest.artifacts],
        "front": {"drop_is": inputs.drop_is, "candidates": [to_dict(one) for one in inputs.candidates]},
        "tools": manifest.tools,
    }


def _artifact(
    artifact: Artifact, manifest: Manifest, before: NDArray[np.float64], inputs: ReportInputs
) -> dict[str, Any]:
    after = _in_order(artifact.thresholds, manifest.labels)
    largest = max((item.bytes for item in manifest.artifacts if item.precision == "fp32"), default=None)
    labelled, flips, inside = inputs.labelled, inputs.flips, inputs.inside.get(artifact.file)
    return {
        "file": artifact.file,
        "runtime": artifact.runtime,
        "precision": artifact.precision,
        "batch": artifact.batch,
        "bytes": artifact.bytes,
        "size_ratio": None if largest is None else artifact.bytes / largest,
        "parity": to_dict(artifact.parity),
        "accuracy": to_dict(artifact.accuracy),
        "calibration": to_dict(artifact.calibration),
        "labelled": None
        if labelled is None or artifact.file not in labelled.answers.artifacts
        else _labelled(labelled, artifact.file, manifest.labels, before, after),
        "flips": None
        if flips is None or artifact.file not in flips.artifacts
        else _flips(flips, artifact.file, manifest.labels, before, after),
        "inside": None if inside is None else _inside(inside),
    }


def _labelled(
    labelled: Labelled,
    file: str,
    labels: tuple[str, ...],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> dict[str, Any]:
    answers = labelled.answers
    reference, answer = sigmoid(answers.reference), sigmoid(answers.artifacts[file])
    sets = {"float": reference >= before, "as_made": answer >= before, "refitted": answer >= after}
    if np.array_equal(before, after):
        del sets["refitted"]
    scores = dict(zip(sets, score(labelled.truth, list(sets.values()), labelled.persons), strict=True))
    return {
        "data": answers.data,
        "count": len(labelled.truth),
        "interval": {
            "confidence": 0.95,
            "resamples": RESAMPLES,
            "resampled": "faces" if labelled.persons is None else "persons",
        },
        "mean": {name: _mean(one) for name, one in scores.items()},
        "per_au": {
            label: {name: _value(one.f1[i], one.f1_ends[i]) for name, one in scores.items()}
            | {"positives": int((labelled.truth[:, i] == 1).sum())}
            for i, label in enumerate(labels)
        },
    }


def _mean(scores: Scores) -> dict[str, Any]:
    return {
        "f1": _value(scores.mean, scores.mean_ends),
        "drop": _value(scores.drop, scores.drop_ends),
        "drop_worst": _number(scores.drop_worst),
    }


def _flips(
    answers: ArtifactAnswers,
    file: str,
    labels: tuple[str, ...],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> dict[str, Any]:
    turned = flipped_decisions(answers.reference, answers.artifacts[file], before, after)
    active = sigmoid(answers.reference) >= before
    low, high = flips_interval(turned)
    return {
        "data": answers.data,
        "count": len(turned),
        "share": float(turned.mean()),
        "low": low,
        "high": high,
        "per_au": {
            label: _turned(int(turned[:, i].sum()), len(turned)) | {"active": int(active[:, i].sum())}
            for i, label in enumerate(labels)
        },
    }


def _turned(flips: int, count: int) -> dict[str, Any]:
    low, high = binomial_interval(flips, count)
    return {"flips": flips, "low": low, "high": high}


def _inside(inside: Inside) -> dict[str, Any]:
    values: dict[str, Any] = to_dict(inside)
    values["nodes"] = {kind: dict(counts) for kind, counts in values["nodes"].items()}
    return values


def _in_order(values: Mapping[str, float], labels: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([values[label] for label in labels], np.float64)


def _value(value: float, ends: NDArray[np.float64]) -> dict[str, float | None]:
    return {"value": _number(value), "low": _number(ends[0]), "high": _number(ends[1])}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
