"""Figures of one's own cross-validation, as rows of the published tables that have the same columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeau._system.json_text import parse_json
from edgeau._system.printable import printable
from edgeau._system.records import from_dict
from edgeau.errors import InputError, RecordError
from edgeau_apps.report.published_tables import ScoreRow, ScoreTable

__all__ = ["OwnFolds", "read_own_folds", "with_own_rows"]

_SCORES = {"accuracy": "accuracy", "F1": "f1", "(accuracy + F1) / 2": "score"}


@dataclass(frozen=True)
class _Mean:
    """Means over folds, each 0..1; None where nothing was measured."""

    f1: float | None
    accuracy: float | None
    auc: float | None
    score: float | None
    per_au: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class OwnFolds:
    """A cross-validation of one's own.

    Attributes:
        name: the folder of its file.
        folds: how many.
        mean: over them.
    """

    name: str
    folds: int
    mean: _Mean


def read_own_folds(path: Path) -> OwnFolds:
    """Read the ``folds.json`` of ``edgeau-train --folds``.

    Raises:
        InputError: it does not exist, or is something else.
    """
    try:
        document = parse_json(path.read_bytes())
        mean = _checked(from_dict(_Mean, document["mean"], "mean"))
        return OwnFolds(printable(path.parent.name or path.name), len(document["folds"]), mean)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecordError) as error:
        raise InputError(
            f"{path} is not the folds.json that edgeau-train --folds writes ({error})"
        ) from error


def _checked(mean: _Mean) -> _Mean:
    """Refuse scores that are none, such as NaN, which Python's JSON has."""
    of_aus = (value for scores in mean.per_au.values() for value in scores.values())
    for value in (mean.f1, mean.accuracy, mean.auc, mean.score, *of_aus):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"a score of {value}, which is not 0 to 1")
    return mean


def with_own_rows(tables: Mapping[str, ScoreTable], own: Sequence[OwnFolds]) -> dict[str, ScoreTable]:
    """The published tables, each with a row for every cross-validation that has a figure in all of its columns.

    Args:
        tables: published tables by name.
        own: cross-validations of one's own.

    Raises:
        InputError: one fits no table.
    """
    found = dict(tables)
    for run in own:
        rows = {name: row for name, table in tables.items() if (row := _row(table, run)) is not None}
        if not rows:
            raise InputError(
                f"{run.name} has {', '.join(run.mean.per_au)}: no published table has columns that are among these; "
                "see edgeau-report --papers"
            )
        for name, row in rows.items():
            table = found[name]
            note = f"{row.method}: your own run, mean of {run.folds} folds; it was not published, and its divisions may differ."
            found[name] = replace(table, row=(*table.row, row), notes=(*table.notes, note))
    return found


def _row(table: ScoreTable, run: OwnFolds) -> ScoreRow | None:
    """None where the run has no figure for a column."""
    values: list[float | None]
    if table.labels:  # means over AUs: comparable where they are the same ones
        if set(table.labels) != set(run.mean.per_au):
            return None
        values = [getattr(run.mean, _SCORES[column]) for column in table.columns]
    else:
        values = [run.mean.per_au.get(column, {}).get("f1") for column in table.columns]
    scale = 1.0 if table.unit == "share" else 100.0
    known = [scale * value for value in values if value is not None]
    if len(known) < len(values):
        return None
    # A table of AUs has their mean as well; it is taken over the same columns.
    mean = None if table.labels else round(sum(known) / len(known), table.decimals)
    return ScoreRow(f"{run.name} (own)", tuple(round(value, table.decimals) for value in known), mean)
