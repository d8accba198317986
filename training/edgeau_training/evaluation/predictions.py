"""Answers of a model on labelled faces: the one table that every metric reads."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import read_npz
from edgeau.errors import InputError, NpzError
from edgeau.metrics import sigmoid

__all__ = ["PREDICTIONS", "UNKNOWN", "Predictions", "load_predictions", "save_predictions"]

PREDICTIONS = "predictions.npz"  # in the folder of a run

UNKNOWN = -1  # a truth that nobody labelled; such entries are left out of every metric


@dataclass(frozen=True)
class Predictions:
    """Logits and truth of N faces for C action units.

    Attributes:
        labels: C AU labels, in column order.
        logits: float32 ``(N, C)``; probability = sigmoid.
        truth: int8 ``(N, C)``: 1 present, 0 absent, -1 not labelled.
        thresholds: float64 ``(C,)``, on the probability; positive where ``probability >= threshold``.
        groups: int64 ``(N,)``: faces with the same number belong to the same person; None when persons are not known.
        at_rest: bool ``(N,)``: the whole face was labelled as at rest; None when the data does not say.
        licences: licences of the model's weights, which hold for what is trained on its answers; None where they were not recorded.
    """

    labels: tuple[str, ...]
    logits: NDArray[np.float32]
    truth: NDArray[np.int8]
    thresholds: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None
    at_rest: NDArray[np.bool_] | None = None
    licences: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        expected = (len(self.logits), len(self.labels))
        if self.logits.shape != expected or self.truth.shape != expected:
            raise ValueError(
                f"logits {self.logits.shape} and truth {self.truth.shape} must both be {expected}"
            )
        if self.thresholds.shape != (len(self.labels),):
            raise ValueError(f"thresholds {self.thresholds.shape} must be {(len(self.labels),)}")
        if not np.isfinite(self.logits).all():
            raise InputError(
                "the model answered with a number that is not finite, so nothing can be measured"
            )

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """float32 ``(N, C)``, 0..1, computed as the device computes them."""
        return sigmoid(self.logits)

    @property
    def decisions(self) -> NDArray[np.bool_]:
        """Boolean ``(N, C)``: probability >= threshold."""
        return np.asarray(self.probabilities >= self.thresholds)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Boolean ``(N, C)``: where the truth is known."""
        return np.asarray(self.truth != UNKNOWN)

    def select(self, labels: Sequence[str]) -> Predictions:
        """The same faces with these labels only, in the given order.

        Raises:
            InputError: a label is not here.
        """
        missing = [label for label in labels if label not in self.labels]
        if missing:
            raise InputError(
                f"there are no predictions for {', '.join(missing)}; there are {', '.join(self.labels)}"
            )
        columns = [self.labels.index(label) for label in labels]
        return replace(
            self,
            labels=tuple(labels),
            logits=self.logits[:, columns],
            truth=self.truth[:, columns],
            thresholds=self.thresholds[columns],
        )

    @property
    def alarms_at_rest(self) -> tuple[int, int] | None:
        """False alarms on faces at rest, and the decisions on labels that they are among; None when rest is not known."""
        if self.at_rest is None:
            return None
        absent = (self.truth == 0) & self.at_rest[:, None]
        return int((self.decisions & absent).sum()), int(absent.sum())

    def with_thresholds(self, thresholds: NDArray[np.float64]) -> Predictions:
        """The same predictions, decided at other thresholds."""
        return replace(self, thresholds=thresholds)


def save_predictions(path: Path, tables: Mapping[str, Predictions]) -> None:
    """Write named tables as one ``.npz``, whole or not at all: running a network again costs more than a file.

    Raises:
        OutputError: the folder cannot be written to.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, table in tables.items():
        arrays[f"{name}/labels"] = np.array(table.labels)
        arrays[f"{name}/logits"], arrays[f"{name}/truth"] = table.logits, table.truth
        arrays[f"{name}/thresholds"] = table.thresholds
        if table.groups is not None:
            arrays[f"{name}/groups"] = table.groups
        if table.at_rest is not None:
            arrays[f"{name}/at_rest"] = table.at_rest
        if table.licences is not None:
            arrays[f"{name}/licences"] = np.array(table.licences, np.str_)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_whole(path, content.getvalue())


def load_predictions(path: Path) -> dict[str, Predictions]:
    """The inverse of :func:`save_predictions`.

    Raises:
        InputError: the file is missing, damaged, or something else.
    """
    try:
        arrays = read_npz(path)
        names = [key.removesuffix("/labels") for key in arrays if key.endswith("/labels")]
        return {name: _table(arrays, name) for name in names}
    except (
        NpzError,
        KeyError,
        ValueError,
    ) as error:  # the latter from tables without, or with other, columns
        raise InputError(f"{path} holds no predictions ({error}); run the models again") from error


def _table(arrays: Mapping[str, NDArray[Any]], name: str) -> Predictions:
    licences = arrays.get(f"{name}/licences")
    return Predictions(
        tuple(str(label) for label in arrays[f"{name}/labels"]),
        arrays[f"{name}/logits"],
        arrays[f"{name}/truth"],
        arrays[f"{name}/thresholds"],
        arrays.get(f"{name}/groups"),
        arrays.get(f"{name}/at_rest"),
        None if licences is None else tuple(str(licence) for licence in licences),
    )
