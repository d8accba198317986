"""From an expression and an identity to the rig's shape coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.action_units import mixture_matrix
from edgeau_training.synth.expressions import Expression

# Resting face: what of a shape a person shows without moving (lo, hi). Negative values are real faces too: high
# brows, wide eyes. The upper ends stay at the trace limit of a label.
RESTING = {"browDown": (-0.3, 0.12), "browInnerUp": (-0.15, 0.1), "browOuterUp": (-0.15, 0.1), "eyeWide": (-0.12, 0.1),
           "eyeSquint": (-0.25, 0.12), "eyeBlink": (-0.08, 0.12), "mouthFrown": (-0.12, 0.12), "mouthSmile": (-0.1, 0.1),
           "cheekSquint": (-0.25, 0.12), "noseSneer": (-0.12, 0.08), "mouthDimple": (-0.05, 0.12),
           "mouthPress": (-0.08, 0.1), "mouthStretch": (-0.08, 0.1)}  # fmt: skip
CENTRAL_RESTING = {"mouthPucker": (-0.1, 0.06), "mouthShrugLower": (-0.12, 0.12), "mouthFunnel": (-0.08, 0.05),
                   "mouthRollUpper": (-0.25, 0.1), "mouthRollLower": (-0.22, 0.1), "jawForward": (-0.1, 0.15)}  # fmt: skip


def resting_face(names: NDArray[np.str_], random: np.random.Generator) -> NDArray[np.float32]:
    """Return (E,) float32: the coefficients that one person shows at rest."""
    at = {str(name): number for number, name in enumerate(names)}
    rest = np.zeros(len(names), np.float32)
    for name, (low, high) in RESTING.items():
        value = random.uniform(low, high)
        for side in ("_L", "_R"):
            rest[at[name + side]] = min(value + random.normal(0, 0.015), high)
    for name, (low, high) in CENTRAL_RESTING.items():
        rest[at[name]] = random.uniform(low, high)
    return rest


class Coefficients:
    """Turns expressions into coefficient vectors of one rig."""

    def __init__(self, names: NDArray[np.str_]) -> None:
        self._at = {str(name): number for number, name in enumerate(names)}
        self._matrix = mixture_matrix(names)

    def of(self, expression: Expression, rest: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (E,) float32 for one expression on one resting face (E,)."""
        moved = np.einsum("sa,sae->e", expression.sides, self._matrix)
        for name, value in expression.extra.items():
            if name in self._at:
                moved[self._at[name]] += value
        self._look(moved, expression.gaze)
        # Closed eyes look alike whatever their rest; summing would push the lid through the cheek.
        return np.asarray(np.clip(moved + rest * np.clip(1 - moved, 0, 1), -0.3, 1.05), np.float32)

    def _look(self, moved: NDArray[np.float32], gaze: NDArray[np.float32]) -> None:
        left, up = float(gaze[0]), float(gaze[1])
        for name, value in (
            ("eyeLookOut_L", left), ("eyeLookIn_R", left), ("eyeLookIn_L", -left), ("eyeLookOut_R", -left),
            ("eyeLookUp_L", up), ("eyeLookUp_R", up), ("eyeLookDown_L", -up), ("eyeLookDown_R", -up),
        ):  # fmt: skip
            moved[self._at[name]] += max(0.0, value)
