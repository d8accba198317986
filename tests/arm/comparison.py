"""How far one machine's answers are from another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_FLOAT = ("fp32", "fp16")
FLOAT_TOLERANCE = 1e-3
"""Largest difference of a probability that float artifacts may have."""
FLIPS_TOLERANCE = 0.01
"""Share of decisions that may differ for quantized artifacts; for float ones none may."""


@dataclass(frozen=True)
class Difference:
    """Of one artifact on two machines.

    Attributes:
        artifact: file.
        precision: of the artifact.
        probabilities: that were compared.
        max_probability: largest absolute difference.
        mean_probability: mean absolute difference.
        flips: decisions that differ.
        max_landmark_px: largest distance of a landmark coordinate in the clip, pixels.
        fault: what refuses; None when both machines answered.
        passed: within the tolerances.
    """

    artifact: str
    precision: str
    probabilities: int
    max_probability: float
    mean_probability: float
    flips: int
    max_landmark_px: float
    fault: str | None
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Compare what ``guest.py`` wrote on two machines."""
    names = ours["artifacts"].keys() | theirs["artifacts"].keys()
    return [_compare(name, ours["artifacts"][name], theirs["artifacts"][name]) for name in sorted(names)]


def _compare(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Difference:
    fault = ours.get("fault") or theirs.get("fault")
    if fault:
        return Difference(name, "", 0, np.nan, np.nan, 0, np.nan, fault, passed=False)
    one, other = _probabilities(ours), _probabilities(theirs)
    if one.shape != other.shape:
        fault = f"{one.size} probabilities here, {other.size} there"
        return Difference(name, ours["precision"], 0, np.nan, np.nan, 0, np.nan, fault, passed=False)
    distance = np.abs(one - other)
    flips = int((_decisions(ours) != _decisions(theirs)).sum())
    landmarks = np.abs(_landmarks(ours) - _landmarks(theirs))
    if ours["precision"] in _FLOAT:
        passed = flips == 0 and distance.max() <= FLOAT_TOLERANCE
    else:
        passed = flips <= FLIPS_TOLERANCE * one.size
    return Difference(
        name,
        ours["precision"],
        one.size,
        float(distance.max()),
        float(distance.mean()),
        flips,
        float(landmarks.max(initial=0)),
        None,
        passed=bool(passed),
    )


def _probabilities(answer: Mapping[str, Any]) -> np.ndarray:
    clip = [value for face in answer["clip"] for value in face["probabilities"].values()]
    return np.array([*np.ravel(answer["probabilities"]), *clip])


def _decisions(answer: Mapping[str, Any]) -> np.ndarray:
    clip = [value for face in answer["clip"] for value in face["decisions"].values()]
    return np.array([*np.ravel(answer["decisions"]), *clip], bool)


def _landmarks(answer: Mapping[str, Any]) -> np.ndarray:
    return np.array([face["landmarks"] for face in answer["clip"]])
