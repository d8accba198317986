"""Folds that are there at rest: what a lifetime of expressions, or sleep, sun and build, have left in a skin.

The very folds that expressions drive, at a share of their depth, without a label: a frown line is not an AU4, a nasolabial fold
no AU12.
"""

from __future__ import annotations

import numpy as np

from edgeau_training.synth.drawing import Image
from edgeau_training.synth.wrinkles import Wrinkle

__all__ = ["worn_in"]

# (start of the driver's name, probability at middle age, largest share of the fold's depth); ours.
_WORN = (
    ("browDown", 0.4, 0.65),
    ("brow", 0.45, 0.75),
    ("cheekSquint", 0.4, 0.5),
    ("eyeSquint", 0.4, 0.5),
    ("noseSneer", 0.25, 0.35),
    ("mouthSmile", 0.5, 0.7),
    ("mouthUpperUp", 0.5, 0.5),
    ("mouthDimple", 0.25, 0.45),
    ("mouthFrown", 0.4, 0.65),
    ("mouthStretch", 0.3, 0.45),
    ("mouthShrugLower", 0.3, 0.45),
    ("mouthPress", 0.25, 0.4),
    ("mouthPucker", 0.25, 0.4),
)


def worn_in(random: np.random.Generator, relief: Image, wrinkles: list[Wrinkle], age: float) -> Image:
    """The relief with folds worn in.

    Args:
        random: stream.
        relief: float32 ``(SIZE, SIZE)``, cm.
        wrinkles: wrinkles of the same skin.
        age: 0 young .. 1 old.
    """
    shares = {
        name: random.uniform(0, most) if random.random() < likely * (0.5 + age) else 0.0
        for name, likely, most in _WORN
    }
    height = relief.copy()
    for wrinkle in wrinkles:
        first = next(iter(wrinkle.drivers))
        kind = next((name for name, *_ in _WORN if first.startswith(name)), None)
        share = shares[kind] * random.uniform(0.7, 1.3) if kind else 0.0
        if share:
            rows, columns = wrinkle.patch.shape
            window = height[wrinkle.top : wrinkle.top + rows, wrinkle.left : wrinkle.left + columns]
            window += wrinkle.patch * np.float32(share)
    return height
