"""The AU plate: each action unit of one synthetic person at three intensities, on both sides and on one, beside the face at rest.

One strip an AU, five pictures wide: rest, 0.35, 0.7 and 1.0 of the intensity on both sides, and 1.0 on the person's own left side
alone (an AU without sides repeats nothing there: its strip has four). Camera, light, hair and exposure are the same in all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.progress import progress_bar
from edgeau.errors import OutputError
from edgeau_training.synth.action_units import AUS, MIXTURES
from edgeau_training.synth.expressions import Expression
from edgeau_training.synth.renderer import SUPERSAMPLING, Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.scene import Scene
from edgeau_training.synth.studio import AMBIENT, LIGHTS, photograph

__all__ = ["INTENSITIES", "SHOWN", "write_plate"]

SHOWN = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43)
"""AUs of the plate: those of the packaged models."""
INTENSITIES = (0.35, 0.7, 1.0)
SIDE = 144
"""Side of a picture, pixels."""

# AUs that are shown on top of another one, since they are never seen without it: a dropped jaw parts the lips.
_WITH = {26: {25: 0.5}}
_QUALITY = 80  # of WebP
_GREY = 0.42  # of the background, linear


def write_plate(rig: Path, folder: Path, seed: int, cache: Path | None = None) -> dict[str, Any]:
    """Render the plate: ``AU12.webp`` for each AU, and ``rest.webp``.

    Args:
        rig: ICT-FaceKit folder.
        folder: where the pictures go; made if missing.
        seed: which person, skin and light.
        cache: where the parsed rig is kept.

    Returns:
        The folder, the number of files and their bytes.

    Raises:
        UserError: the rig is incomplete.
        OutputError: the pictures cannot be written.
    """
    renderer = Renderer(load_rig(rig, cache))
    rest = _picture(renderer, seed, 0, 0.0, 0.0)
    total = _write(folder / "rest.webp", rest)
    for number in progress_bar(SHOWN, desc="AU plate", unit="AU"):
        row = [rest, *(_picture(renderer, seed, number, level, level) for level in INTENSITIES)]
        if next(iter(MIXTURES[number])).endswith("*"):  # the first coefficient defines the AU
            row.append(_picture(renderer, seed, number, 1.0, 0.0))
        total += _write(folder / f"AU{number}.webp", np.hstack(row))
    return {"folder": str(folder), "files": len(SHOWN) + 1, "bytes": total}


def _picture(renderer: Renderer, seed: int, number: int, left: float, right: float) -> NDArray[np.uint8]:
    """One face, uint8 ``(SIDE, SIDE, 3)``, RGB."""
    size = round(SIDE * 3 * SUPERSAMPLING)
    room = np.full((size, size, 3), _GREY, np.float32)
    return photograph(renderer, seed, _expression(number, left, right), _scene(size), room, (SIDE, SIDE))


def _expression(number: int, left: float, right: float) -> Expression:
    sides = np.zeros((2, len(AUS)), np.float32)
    if number:
        for other, level in _WITH.get(number, {}).items():
            sides[:, AUS.index(other)] = level * max(left, right)
        sides[:, AUS.index(number)] = left, right
    return Expression(sides.max(0), sides, np.zeros(2, np.float32), {})


def _scene(size: int) -> Scene:
    return Scene(
        pose=np.zeros(3, np.float32),
        focal=size * 0.05,
        distance=70.0,
        centre=np.array([size * 0.5, size * 0.5], np.float32),
        lights=LIGHTS,
        colours=np.array([[0.66, 0.64, 0.61], [0.2, 0.21, 0.23]], np.float32),
        ambient=AMBIENT,
    )


def _write(path: Path, picture: NDArray[np.uint8]) -> int:
    done, encoded = cv2.imencode(".webp", picture[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    if not done:
        raise OutputError(f"{path}: this OpenCV writes no WebP")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, encoded.tobytes())
    return len(encoded)
