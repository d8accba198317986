"""Eyeballs: where they sit in the rig, and how irises, whites, lashes and teeth vary from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.rig import EYE_LEFT, EYE_RIGHT, Rig

__all__ = ["Look", "eye_geometry", "sample_look"]

# Iris colours, linear RGB, from near black over brown, hazel and green to blue and grey; shares are ours.
_IRISES = np.array(
    [
        [0.05, 0.02, 0.01],
        [0.1, 0.045, 0.018],
        [0.16, 0.1, 0.04],
        [0.12, 0.15, 0.08],
        [0.1, 0.17, 0.26],
        [0.2, 0.24, 0.27],
    ],
    np.float32,
)
_IRIS_SHARES = (0.34, 0.28, 0.12, 0.08, 0.11, 0.07)
# A gaze straight ahead diverges a little from the rig's z axis, to the sides and down.
_AXES = np.array([[0.03, -0.02, 1.0], [-0.03, -0.02, 1.0]], np.float32)


@dataclass(frozen=True)
class Look:
    """Small things of a picture.

    Attributes:
        iris: float32 ``(3,)``, linear RGB.
        sclera: float32 ``(3,)``, linear RGB.
        pupil: radius, radians seen from the eyeball's centre.
        teeth: whiteness, about 1.
        lash_density: share of the lashes drawn, 0..1.
    """

    iris: NDArray[np.float32]
    sclera: NDArray[np.float32]
    pupil: float
    teeth: float
    lash_density: float


def sample_look(random: np.random.Generator) -> Look:
    """Draw irises, whites, pupils, teeth and lashes."""
    iris = _IRISES[random.choice(len(_IRISES), p=_IRIS_SHARES)] * random.uniform(0.7, 1.4)
    white = np.array([0.74, 0.68, 0.66], np.float32) * random.uniform(0.75, 1.0)
    pupil, teeth, lashes = random.uniform(0.12, 0.24), random.uniform(0.7, 1.1), random.uniform(0.04, 0.34)
    return Look(iris.astype(np.float32), white.astype(np.float32), float(pupil), float(teeth), float(lashes))


def eye_geometry(rig: Rig) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centres and gaze axes of the left and right eyeball in the neutral mesh, float32 ``(2, 3)`` each."""
    centres = []
    for material in (EYE_LEFT, EYE_RIGHT):
        vertices = rig.neutral[np.unique(rig.triangles[rig.materials == material])]
        low, high = vertices.min(0), vertices.max(0)
        radius = float(high[1] - low[1]) / 2
        # The back of the eyeball is trimmed away, so depth is measured from its front pole.
        centres.append([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2] - radius])
    return np.array(centres, np.float32), _AXES / np.linalg.norm(_AXES, axis=1, keepdims=True)
