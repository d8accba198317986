"""Logits to probabilities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["probability", "sigmoid"]


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (1 + exp(-logits))``, float32, without overflow for any finite logit."""
    # 0.5 * (1 + tanh(x / 2)) is the same function, and tanh saturates where exp overflows.
    half = np.asarray(logits, np.float32) * np.float32(0.5)
    probabilities: NDArray[np.float32] = np.tanh(half) * np.float32(0.5) + np.float32(0.5)
    return probabilities


def probability(logit: float) -> float:
    """:func:`sigmoid` of one logit."""
    return 0.5 + 0.5 * math.tanh(0.5 * logit)
