"""Precisions: whether calibrated, how near the golden answers, and which of two is truer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["PRECISIONS", "Precision", "Tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """Largest distance of an engine from the golden answers: difference of a logit, and of a probability."""

    logit: float
    probability: float


@dataclass(frozen=True)
class Precision:
    """Number format in which an artifact stores weights and computes.

    Attributes:
        name: as it stands in targets, manifests and options.
        title: for people.
        rank: 0 is the truest; of equally fast artifacts the one of the lower rank is preferred.
        tolerance: tolerance of the golden answers.
        is_float: weights and activations are floating-point numbers: parity with the reference is a gate.
        is_calibrated: activation ranges come from calibration crops, so a target names a quantization recipe.
    """

    name: str
    title: str
    rank: int
    tolerance: Tolerance
    is_float: bool = False
    is_calibrated: bool = False


# The same float arithmetic in another order moves logits by some 1e-5 (1.2e-4 was seen between engines). Half precision
# keeps three digits. INT8 is the same integers everywhere except where a processor saturates the sums of 8-bit products:
# up to 0.009 in probability was seen between x86 without VNNI and ARM on a small network, and a deep one adds up. An
# engine that computes something else is off by far more than any of these.
_ROWS = (
    Precision("fp32", "32-bit float", 0, Tolerance(logit=1e-3, probability=1e-3), is_float=True),
    Precision("fp16", "16-bit float", 1, Tolerance(logit=0.1, probability=0.02), is_float=True),
    # Activations are rounded anew in every run, by rules that differ between kernels.
    Precision("dynamic", "8-bit weights, float activations", 2, Tolerance(logit=math.inf, probability=0.1)),
    Precision(
        "int8",
        "8-bit integers",
        2,
        Tolerance(logit=math.inf, probability=0.1),
        is_calibrated=True,
    ),
    Precision(
        "w8a16",
        "8-bit weights, 16-bit activations",
        2,
        Tolerance(logit=math.inf, probability=0.05),
        is_calibrated=True,
    ),
)

# By name, in the order in which lists show them.
PRECISIONS: Mapping[str, Precision] = MappingProxyType({row.name: row for row in _ROWS})
