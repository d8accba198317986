"""One person in one room: pictures of the film and the plate, in which nothing changes but what is asked for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.camera import HIGHLIGHT, expose_picture
from edgeau_training.synth.expressions import Expression
from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.scene import Scene

__all__ = ["AMBIENT", "LIGHTS", "SET", "photograph"]

# Streams of a seed: the person, their skin, and everything else.
_PERSON, _SKIN, SET = 11, 12, 13
_TOWARDS = np.array([[-0.45, 0.55, 0.75], [0.8, 0.1, 0.5]], np.float32)
LIGHTS = _TOWARDS / np.linalg.norm(_TOWARDS, axis=1, keepdims=True)
"""A window and a lamp, float32 ``(2, 3)``, unit vectors towards them."""
AMBIENT = np.array([0.3, 0.3, 0.32], np.float32)
"""Light from everywhere, linear RGB."""


def photograph(
    renderer: Renderer,
    seed: int,
    expression: Expression,
    scene: Scene,
    room: NDArray[np.float32],
    size: tuple[int, int],
) -> NDArray[np.uint8]:
    """Render one picture.

    Args:
        renderer: of the rig.
        seed: which person, skin, hair and exposure.
        expression: what the face shows.
        scene: pose, framing and light.
        room: float32 ``(H, W, 3)``, linear RGB, behind the head.
        size: width and height of the picture, pixels.

    Returns:
        uint8 ``(height, width, 3)``, RGB.
    """
    # The streams start anew for every picture: hair, eyes and exposure stay what they are.
    still, exposure = np.random.default_rng((seed, SET)), np.random.default_rng((seed, SET, 1))
    person, skin = renderer.person((seed, _PERSON)), renderer.skin((seed, _SKIN))
    linear = renderer.linear(still, person, skin, expression, scene, room=room)
    picture = expose_picture(exposure, np.minimum(linear, HIGHLIGHT))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.round(np.clip(small, 0, 1) * 255), np.uint8)
