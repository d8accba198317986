"""Plots of an evaluation: bars per AU with intervals, and ROC curves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from edgeau._system.atomic_file import write_whole
from edgeau_training.evaluation.predictions import Predictions

__all__ = ["draw_bars", "draw_roc", "save_figure"]

_METRICS = (("f1", "F1, 0..1"), ("auc", "AUC, 0..1"))


def draw_bars(documents: Sequence[dict[str, Any]], title: str) -> Figure:
    """F1 and AUC per AU, one bar per model, whiskers for the intervals."""
    labels = list(dict.fromkeys(label for document in documents for label in document["per_au"]))
    figure = _figure(max(6.0, 0.55 * len(labels) * max(1, len(documents)) ** 0.5 + 2), 6.5)
    for row, (key, name) in enumerate(_METRICS):
        axes = figure.add_subplot(len(_METRICS), 1, row + 1)
        for number, document in enumerate(documents):
            _bars(axes, document, labels, key, (number, len(documents)))
        axes.set_xticks(range(len(labels)), [label.removeprefix("AU") for label in labels])
        axes.set_ylim(0, 1)
        axes.set_ylabel(name)
        axes.grid(axis="y", alpha=0.3)
    figure.axes[0].set_title(title)
    figure.axes[-1].set_xlabel("action unit; whiskers are the intervals of the table")
    if len(documents) > 1:
        figure.axes[0].legend(loc="lower right", fontsize="small")
    return figure


def draw_roc(named: Sequence[tuple[str, Predictions]], title: str) -> Figure:
    """One small ROC plot per AU, one curve per model."""
    labels = list(dict.fromkeys(label for _, predictions in named for label in predictions.labels))
    columns = min(6, len(labels))
    rows = -(-len(labels) // columns)
    figure = _figure(2.0 * columns + 0.5, 2.0 * rows + 0.8)
    for number, label in enumerate(labels):
        axes = figure.add_subplot(rows, columns, number + 1)
        for name, predictions in named:
            _curve(axes, name, predictions, label)
        axes.plot((0, 1), (0, 1), color="grey", linewidth=0.5)
        axes.set_title(label, fontsize="small")
        axes.tick_params(labelsize="x-small")
    figure.suptitle(title, fontsize="medium")
    figure.supxlabel("false positive rate, 0..1", fontsize="small")
    figure.supylabel("true positive rate, 0..1", fontsize="small")
    if len(named) > 1:
        figure.axes[0].legend(loc="lower right", fontsize="x-small")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG; it appears whole or not at all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    content = io.BytesIO()
    figure.savefig(content, dpi=110, format="png")
    write_whole(path, content.getvalue())


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # no display, no global state
    return figure


def _bars(
    axes: Axes, document: dict[str, Any], labels: Sequence[str], key: str, place: tuple[int, int]
) -> None:
    number, models = place
    cells = [document["per_au"].get(label, {}).get(key, {}) for label in labels]
    values, low, high = (
        np.array([np.nan if cell.get(end) is None else cell[end] for cell in cells], float)
        for end in ("value", "low", "high")
    )
    width = 0.8 / models
    where = np.arange(len(labels)) + (number - (models - 1) / 2) * width
    whiskers = np.clip(np.nan_to_num(np.stack((values - low, high - values))), 0, None)
    axes.bar(where, values, width, yerr=whiskers, label=document["model"], error_kw={"linewidth": 0.8})


def _curve(axes: Axes, name: str, predictions: Predictions, label: str) -> None:
    if label not in predictions.labels:
        return
    column = predictions.labels.index(label)
    known = predictions.known[:, column]
    truth = predictions.truth[known, column]
    if np.unique(truth).size == 2:
        false_positive, true_positive, _ = roc_curve(truth, predictions.logits[known, column])
        axes.plot(false_positive, true_positive, linewidth=1, label=name)
