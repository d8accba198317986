"""Reading the published figures; whatever was computed or inferred keeps that word beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edgeau._system.records import from_dict

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["STATUSES", "Cost", "CostRow", "CostTable", "ScoreRow", "ScoreTable", "cost_table", "score_tables"]

STATUSES = ("published", "computed", "inferred", "n/a")
_COSTS = "costs.toml"


@dataclass(frozen=True)
class Cost:
    """One figure of a method: its value, None where ``status`` is n/a, and what a reader must know of it."""

    status: str
    note: str
    value: float | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, got {self.status!r}")
        if (self.value is None) is not (self.status == "n/a"):
            raise ValueError(f"a figure that is {self.status} has the value {self.value}")


@dataclass(frozen=True)
class CostRow:
    """A method's parameters and multiply-accumulates; ``network`` is its name in the zoo, "" where it is not there."""

    method: str
    parameters: Cost
    macs: Cost
    network: str = ""


@dataclass(frozen=True)
class CostTable:
    """Parameters and multiply-accumulates of all methods."""

    title: str
    source: str
    row: tuple[CostRow, ...]


@dataclass(frozen=True)
class ScoreRow:
    """A method's scores, one a column, and their mean as it is printed."""

    method: str
    values: tuple[float, ...]
    mean: float | None = None


@dataclass(frozen=True)
class ScoreTable:
    """A table of a paper as it is printed; ``decimals`` are those that its numbers are printed with, at least.

    ``labels`` are the AUs that its scores are means of, where its columns are not AUs.
    """

    title: str
    source: str
    unit: str
    status: str
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    row: tuple[ScoreRow, ...]
    decimals: int = 0
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.row:
            if len(row.values) != len(self.columns):
                raise ValueError(
                    f"{self.title}: {row.method} has {len(row.values)} of {len(self.columns)} values"
                )


@cache
def cost_table() -> CostTable:
    """The comparison of costs."""
    return from_dict(CostTable, _read(_COSTS), _COSTS)


@cache
def score_tables() -> dict[str, ScoreTable]:
    """The papers' tables by file name without its end, in alphabetical order."""
    names = sorted(
        entry.name
        for entry in files("edgeau_apps.report.published").iterdir()
        if entry.name.endswith(".toml") and entry.name != _COSTS
    )
    return {name.removesuffix(".toml"): from_dict(ScoreTable, _read(name), name) for name in names}


def _read(name: str) -> Any:
    return tomllib.loads((files("edgeau_apps.report.published") / name).read_text("utf-8"))
