"""Points between float and all-integer: what each costs in F1 and what it saves, as plain records for tables and plots."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole

__all__ = ["QuantizationCandidate", "front_document", "pareto_front", "write_front"]


@dataclass(frozen=True)
class QuantizationCandidate:
    """One artifact that was tried.

    Attributes:
        name: for people, such as ``"robust, 2 blocks in float"``.
        recipe: by name; ``"float32"`` for the float graph itself.
        kept_float: units in float beside those of the recipe.
        f1_drop_mean: float F1 minus this, mean over AUs; None without labels.
        f1_drop_max: the same of the worst AU.
        flips: share of the decisions that differ from the float ones, 0..1.
        distance: mean absolute difference of probabilities.
        macs_int8: share of the multiply-accumulates done in integers, 0..1.
        bytes: size of the file.
        size_ratio: share of the float file's size.
        latency_ms: one face on one thread of the machine that made it; None where it was not measured.
        holds: it meets the budget.
        interval: ends of the 95 % interval of the mean drop, without labels of the flips; None where it is not known.
    """

    name: str
    recipe: str
    kept_float: tuple[str, ...]
    f1_drop_mean: float | None
    f1_drop_max: float | None
    flips: float
    distance: float
    macs_int8: float
    bytes: int
    size_ratio: float
    latency_ms: float | None
    holds: bool
    interval: tuple[float, float] | None = None


def pareto_front(points: Iterable[QuantizationCandidate]) -> list[QuantizationCandidate]:
    """Those that no other one beats in cost and in integer share alike (the Pareto front), most integer first."""
    ordered = sorted(points, key=lambda point: (-point.macs_int8, _cost(point)))
    found: list[QuantizationCandidate] = []
    for point in ordered:
        if not found or _cost(point) < _cost(found[-1]):
            found.append(point)
    return found


def front_document(points: Sequence[QuantizationCandidate], measured_on: str) -> dict[str, Any]:
    """Convert to plain JSON values: ``measured_on``, ``points`` in the order in which they were tried, and ``front``: names."""
    return {
        "measured_on": measured_on,
        "points": [asdict(point) for point in points],
        "front": [point.name for point in pareto_front(points)],
    }


def write_front(file: Path, points: Sequence[QuantizationCandidate], measured_on: str) -> None:
    """Write :func:`front_document`, whole or not at all."""
    write_whole(file, (json.dumps(front_document(points, measured_on), indent=2) + "\n").encode())


def _cost(point: QuantizationCandidate) -> float:
    return point.distance if point.f1_drop_mean is None else point.f1_drop_mean
