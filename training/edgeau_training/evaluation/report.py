"""Evaluation results as one JSON document and as a table for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.text_table import aligned_lines
from edgeau.metrics import macro_mean
from edgeau_training.evaluation.comparison import Comparison
from edgeau_training.evaluation.metrics import Intervals, Metrics
from edgeau_training.evaluation.predictions import Predictions

__all__ = [
    "comparison_document",
    "comparison_table",
    "folds_table",
    "model_document",
    "model_table",
    "write_document",
]


def model_document(name: str, predictions: Predictions, metrics: Metrics, ends: Intervals) -> dict[str, Any]:
    """Everything measured about one model as plain JSON values; what is undefined is null."""
    per_au = {
        label: {
            "f1": _value(metrics.f1[i], ends.f1[i]),
            "auc": _value(metrics.auc[i], ends.auc[i]),
            "accuracy": _value(metrics.accuracy[i], ends.accuracy[i]),
            "threshold": float(predictions.thresholds[i]),
            "positives": int(metrics.positives[i]),
            "labelled": int(metrics.labelled[i]),
            "recall": _share(predictions.decisions[predictions.truth[:, i] == 1, i]),
            "false_positive_rate": _share(predictions.decisions[predictions.truth[:, i] == 0, i]),
        }
        for i, label in enumerate(metrics.labels)
    }
    mean = {
        "f1": _value(macro_mean(metrics.f1), ends.f1_mean),
        "auc": _value(macro_mean(metrics.auc), ends.auc_mean),
        "accuracy": _value(macro_mean(metrics.accuracy), ends.accuracy_mean),
    }
    interval = {"confidence": ends.confidence, "resamples": ends.resamples, "resampled": ends.unit}
    document = {"model": name, "mean": mean, "per_au": per_au, "interval": interval}
    if predictions.alarms_at_rest is not None:
        alarms, decisions = predictions.alarms_at_rest
        document["at_rest"] = {"false_alarms": alarms, "decisions": decisions}
    return document


def model_table(document: dict[str, Any]) -> str:
    """One row per AU and the mean; brackets hold the interval."""
    interval = document["interval"]
    ends = f"[{interval['confidence']:.0%}]"
    scores = (cell for name in ("F1", "AUC", "accuracy") for cell in (f"{name}, 0..1", ends))
    head = ("AU", *scores, "threshold, 0..1", "positives/faces", "recall, 0..1", "false positives, 0..1")
    rows = [
        (
            label,
            *_cells(row),
            f"{row['threshold']:.3f}",
            f"{row['positives']}/{row['labelled']}",
            _plain(row["recall"], ".2f"),
            _plain(row["false_positive_rate"], ".2f"),
        )
        for label, row in document["per_au"].items()
    ]
    mean = (
        "mean",
        *_cells(document["mean"]),
        "",
        "",
        _mean_of(document, "recall"),
        _mean_of(document, "false_positive_rate"),
    )
    note = f"[{interval['confidence']:.0%} bootstrap interval, {interval['resamples']} draws of {interval['resampled']}]"
    if "at_rest" in document:
        rest = document["at_rest"]
        note += f"\nfaces at rest: {rest['false_alarms']} false alarms in {rest['decisions']} decisions"
    return "\n".join((document["model"], *aligned_lines((head, *rows, mean)), note))


def comparison_document(name: str, other: str, comparison: Comparison) -> dict[str, Any]:
    """Describe how two models differ, as plain JSON values."""
    per_au = {
        label: {
            "decision_flips": float(comparison.flips[i]),
            "largest_probability_change": float(comparison.largest_change[i]),
            "mean_probability_change": float(comparison.mean_change[i]),
            "f1_drop": _number(comparison.f1_drop[i]),
        }
        for i, label in enumerate(comparison.labels)
    }
    summary = {
        "decision_flips": float(comparison.flips.mean()),
        "largest_probability_change": float(comparison.largest_change.max()),
        "mean_probability_change": float(comparison.mean_change.mean()),
        "f1_drop_mean": _number(macro_mean(comparison.f1_drop)),
        "f1_drop_max": _number(_largest(comparison.f1_drop)),
    }
    return {"model": name, "against": other, "summary": summary, "per_au": per_au}


def comparison_table(document: dict[str, Any]) -> str:
    """One row per AU and the summary."""
    head = (
        "AU",
        "decisions flipped",
        "largest change of probability",
        "mean change of probability",
        "F1 drop",
    )
    rows = [
        (
            label,
            f"{row['decision_flips']:.2%}",
            f"{row['largest_probability_change']:.4f}",
            f"{row['mean_probability_change']:.4f}",
            _plain(row["f1_drop"], "+.4f"),
        )
        for label, row in document["per_au"].items()
    ]
    total = document["summary"]
    last = (
        "all",
        f"{total['decision_flips']:.2%}",
        f"{total['largest_probability_change']:.4f}",
        f"{total['mean_probability_change']:.4f}",
        f"{_plain(total['f1_drop_mean'], '+.4f')} (worst {_plain(total['f1_drop_max'], '+.4f')})",
    )
    title = f"{document['model']} against {document['against']}"
    return "\n".join((title, *aligned_lines((head, *rows, last))))


def folds_table(document: dict[str, Any]) -> str:
    """One row a fold, then their mean and all faces together; then F1 per label."""
    head = ("fold", "faces", "F1, 0..1", "AUC, 0..1", "accuracy, 0..1", "score, 0..1")
    columns = [*document["folds"].items(), ("mean", document["mean"]), ("pooled", document["pooled"])]
    rows = [
        (
            name,
            str(row.get("faces", "")),
            *(_plain(row[key], ".3f") for key in ("f1", "auc", "accuracy", "score")),
        )
        for name, row in columns
    ]
    labels = [
        (label, *(_plain(row["per_au"][label]["f1"], ".3f") for _, row in columns))
        for label in document["labels"]
    ]
    title = f"{document['data']['name']}; thresholds {document['thresholds']}"
    per_label = aligned_lines((("F1, 0..1", *(name for name, _ in columns)), *labels))
    return "\n".join((title, *aligned_lines((head, *rows)), "", *per_label))


def _value(value: float, ends: NDArray[np.float64]) -> dict[str, float | None]:
    return {"value": _number(value), "low": _number(ends[0]), "high": _number(ends[1])}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _largest(values: NDArray[np.float64]) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def _cells(row: dict[str, Any]) -> Iterable[str]:
    for name in ("f1", "auc", "accuracy"):
        value = row[name]
        yield _plain(value["value"], ".3f")
        yield f"[{_plain(value['low'], '.3f')} {_plain(value['high'], '.3f')}]"


def _share(decisions: NDArray[np.bool_]) -> float | None:
    return float(decisions.mean()) if decisions.size else None


def _mean_of(document: dict[str, Any], name: str) -> str:
    values = [row[name] for row in document["per_au"].values() if row[name] is not None]
    return f"{sum(values) / len(values):.3f}" if values else "-"


def _plain(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def write_document(path: Path, document: dict[str, Any]) -> None:
    """Write strict JSON (no NaN).

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    write_whole(path, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())
