"""Direction of the eyes on rendered faces whose eyeballs were turned by known angles.

    python benchmarks/eye_direction.py --rig ICT-FaceKit [--persons 12] [--json]

Each synthetic person looks to the sides and up and down, with the head straight and turned; lids stay, which a real look up or down moves too. A
slope of 1 and an offset of 0 would be a calibrated measurement; the spread of offsets over persons is what only a calibration could take away.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from this_machine import measured_here
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau._system.text_table import aligned_lines
from edgeau.faces.eye_direction import eye_direction
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau.results import EyeDirection
from edgeau_training.synth.action_units import AUS
from edgeau_training.synth.camera import expose_picture
from edgeau_training.synth.expressions import Expression
from edgeau_training.synth.renderer import SUPERSAMPLING, Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.scene import Scene

SIDE = 480
ACROSS, ALONG = (-20.0, -10.0, 0.0, 10.0, 20.0), (-15.0, -7.5, 0.0, 7.5, 15.0)  # degrees
HEAD_TURN = 20.0  # degrees


@dataclass(frozen=True)
class Agreement:
    """Agreement of estimates with the turn of the eyeballs, medians over persons; degrees where there is a unit.

    Attributes:
        what: which angle, and how the head stood.
        pictures: in which eyes were open and a face was found.
        correlation: within a person.
        slope: degrees estimated for a degree of the eyeballs.
        offset: estimate with the eyes straight in the head, median.
        offset_spread: standard deviation of that over persons.
    """

    what: str
    pictures: int
    correlation: float
    slope: float
    offset: float
    offset_spread: float


def turned(axes: NDArray[np.float32], yaw: float, pitch: float) -> NDArray[np.float32]:
    """Gaze axes ``(2, 3)`` of the rig turned by degrees: ``yaw`` to the subject's left, ``pitch`` up."""
    y, p = np.radians(yaw), np.radians(pitch)
    sideways = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    upwards = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    return np.asarray(axes @ (sideways @ upwards).T, np.float32)


def rendered(renderer: Renderer, seed: int, head: float) -> NDArray[np.uint8]:
    """One face at rest, uint8 BGR; ``head`` is its turn, degrees."""
    size = round(SIDE * SUPERSAMPLING)
    sides = np.zeros((2, len(AUS)), np.float32)
    expression = Expression(sides.max(0), sides, np.zeros(2, np.float32), {})
    lights = np.array([[-0.45, 0.55, 0.75], [0.8, 0.1, 0.5]], np.float32)
    scene = Scene(
        pose=np.array([0, head, 0], np.float32),
        focal=size * 0.04,
        distance=70.0,
        centre=np.array([size * 0.5, size * 0.5], np.float32),
        lights=lights / np.linalg.norm(lights, axis=1, keepdims=True),
        colours=np.array([[0.66, 0.64, 0.61], [0.2, 0.21, 0.23]], np.float32),
        ambient=np.array([0.3, 0.3, 0.32], np.float32),
    )
    room = np.full((size, size, 3), 0.42, np.float32)
    person, skin = renderer.person((seed, 11)), renderer.skin((seed, 12))
    linear = renderer.linear(np.random.default_rng((seed, 13)), person, skin, expression, scene, room=room)
    picture = expose_picture(np.random.default_rng((seed, 14)), np.minimum(linear, 1.6))
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.round(np.clip(small, 0, 1) * 255).astype(np.uint8)[:, :, ::-1])


def estimate(landmarker: Landmarker, picture: NDArray[np.uint8]) -> EyeDirection | None:
    """The direction in a picture; None without a face or with closed eyes."""
    found = landmarker.detect(picture)
    return eye_direction(found[0]) if found else None


def agreement(
    renderer: Renderer, landmarker: Landmarker, persons: int, *, up: bool, head: float
) -> Agreement:
    """Let every person look along one axis."""
    painter = renderer._painter
    centres, axes = painter._eyes
    steps = ALONG if up else ACROSS
    fits: list[tuple[float, float, float]] = []
    pictures = 0
    what = f"{'pitch' if up else 'yaw'}, head {'straight' if head == 0 else f'turned {head:.0f} degrees'}"
    for seed in tqdm(range(persons), desc=what, unit="person"):
        truth, said = [], []
        for step in steps:
            # The subject's left is the picture's right.
            painter._eyes = (centres, turned(axes, 0, step) if up else turned(axes, step, 0))
            found = estimate(landmarker, rendered(renderer, seed, head))
            if found is not None:
                truth.append(step)
                said.append(found.pitch if up else found.yaw)
        pictures += len(said)
        if len(said) > 2:
            slope, offset = np.polyfit(truth, said, 1)
            fits.append((float(np.corrcoef(truth, said)[0, 1]), float(slope), float(offset)))
    painter._eyes = (centres, axes)
    correlation, slope, offset = np.median(fits, axis=0)
    spread = float(np.std([one[2] for one in fits]))
    return Agreement(what, pictures, float(correlation), float(slope), float(offset), spread)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run("eye_direction", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        "eye_direction", "Direction of the eyes on rendered faces.", "eye_direction --rig DIR"
    )
    parser.add_argument("--rig", type=Path, required=True, metavar="DIR", help="ICT-FaceKit")
    parser.add_argument("--persons", type=positive, default=12, metavar="N", help="(default: 12)")
    parser.add_json()
    arguments = parser.parse_args(argv)
    renderer = Renderer(load_rig(arguments.rig), SIDE)
    with open_landmarker(static=True, max_faces=1) as landmarker:
        rows = [
            agreement(renderer, landmarker, arguments.persons, up=up, head=head)
            for up, head in ((False, 0.0), (True, 0.0), (False, HEAD_TURN))
        ]
    if arguments.json:
        print_json({**measured_here(), "persons": arguments.persons, "rows": [asdict(row) for row in rows]})
        return DONE
    head = ("angle", "pictures", "correlation", "slope", "offset, degrees", "its spread, degrees")
    cells = [
        (
            row.what,
            str(row.pictures),
            f"{row.correlation:.3f}",
            f"{row.slope:.2f}",
            f"{row.offset:+.1f}",
            f"{row.offset_spread:.1f}",
        )
        for row in rows
    ]
    print("\n".join(aligned_lines([head, *cells])))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
