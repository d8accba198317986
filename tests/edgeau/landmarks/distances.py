"""How far landmarks are apart, in the measure that faces bring along."""

from __future__ import annotations

import numpy as np


def distances_in_eyes(our: np.ndarray, their: np.ndarray) -> np.ndarray:
    """How far each point is off, in distances of the outer eye corners."""
    eyes = np.linalg.norm(their[33, :2] - their[263, :2])
    return np.linalg.norm(our[:, :2] - their[:, :2], axis=1) / eyes
