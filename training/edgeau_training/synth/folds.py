"""All folds of one skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.lower_folds import cheek_folds, chin_and_lip_folds, mouth_corner_folds, nose_folds
from edgeau_training.synth.upper_folds import eye_folds, forehead_folds, frown_folds
from edgeau_training.synth.wrinkles import Wrinkle

__all__ = ["folds_of"]


def folds_of(random: np.random.Generator, points: NDArray[np.float32], depth: float) -> list[Wrinkle]:
    """Return the wrinkles of one skin.

    points (68, 2): u, v of the iBUG points in the atlas; depth: the skin's readiness to fold, about 0.3..1.5 (age).
    """
    found: list[Wrinkle] = []
    found += forehead_folds(random, points, depth)
    found += frown_folds(random, points, depth)
    for side in (1, -1):
        for maker in (eye_folds, nose_folds, cheek_folds, mouth_corner_folds):
            found += maker(random, points, depth, side)
    return found + chin_and_lip_folds(random, points, depth)
