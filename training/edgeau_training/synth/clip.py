"""A short film of one synthetic person whose expressions follow a known schedule, with its labels beside it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path
from edgeau.errors import OutputError
from edgeau_training.synth.action_units import AU_NAMES, AUS
from edgeau_training.synth.background import sample_background
from edgeau_training.synth.expressions import Expression
from edgeau_training.synth.renderer import SUPERSAMPLING, Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.scene import Scene
from edgeau_training.synth.studio import AMBIENT, LIGHTS, SET, photograph

__all__ = ["SCHEDULE", "intensities_at", "write_clip"]

WIDTH, HEIGHT, FPS = 640, 480, 25
SECONDS = 7.0
RAMP = 0.28  # seconds from nothing to the peak of an expression
# (start, end, {AU: peak}) in seconds; the first second is neutral, for a per-person baseline.
SCHEDULE: tuple[tuple[float, float, dict[int, float]], ...] = (
    (1.0, 2.1, {6: 0.85, 12: 0.95, 25: 0.7}),
    (2.2, 3.1, {1: 0.95, 2: 0.95}),
    (3.2, 4.1, {4: 1.0}),
    (4.2, 5.0, {15: 0.95, 17: 0.8}),
    (5.1, 5.8, {25: 0.6, 26: 0.95}),
    (5.9, 6.6, {43: 1.0}),
)


def intensities_at(time_s: float) -> NDArray[np.float32]:
    """The AU intensities that the film shows at a time.

    Args:
        time_s: seconds from the start.

    Returns:
        float32 ``(22,)``, 0..1, in the order of ``AUS``.
    """
    shown = np.zeros(len(AUS), np.float32)
    for start, end, peaks in SCHEDULE:
        share = _smooth((time_s - start) / RAMP) * _smooth((end - time_s) / RAMP)
        for number, peak in peaks.items():
            column = AUS.index(number)
            shown[column] = max(shown[column], peak * share)
    return shown


def write_clip(rig: Path, film: Path, seed: int, cache: Path | None = None) -> dict[str, Any]:
    """Render the film and its labels.

    Args:
        rig: ICT-FaceKit folder.
        film: path of the .mp4; the labels are written beside it as .csv (frame, time_s, one column an AU).
        seed: which person, skin and room.
        cache: where the parsed rig is kept.

    Returns:
        Paths and number of frames.

    Raises:
        UserError: the rig is incomplete.
        OutputError: the film cannot be written.
    """
    renderer = Renderer(load_rig(rig, cache))
    labels = film.with_suffix(".csv")
    times = [number / FPS for number in range(round(SECONDS * FPS))]
    with atomic_path(labels) as part_labels, atomic_path(film) as part:
        _write_film(renderer, part, seed, times)
        _write_labels(part_labels, times)
    return {"film": str(film), "labels": str(labels), "frames": len(times)}


def _write_film(renderer: Renderer, path: Path, seed: int, times: list[float]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OutputError(
            f"{path.parent}: OpenCV cannot write a film there; it needs a writable folder and ffmpeg."
        )
    try:
        room = _room(seed)
        for time_s in times:
            frame = photograph(renderer, seed, _expression(time_s), _scene(time_s), room, (WIDTH, HEIGHT))
            writer.write(frame[:, :, ::-1])
    finally:
        writer.release()


def _room(seed: int) -> NDArray[np.float32]:
    width, height = round(WIDTH * SUPERSAMPLING), round(HEIGHT * SUPERSAMPLING)
    square = sample_background(np.random.default_rng((seed, SET, 2)), width)
    return np.ascontiguousarray(cv2.GaussianBlur(square, (0, 0), 12)[:height], np.float32)


def _expression(time_s: float) -> Expression:
    shown = intensities_at(time_s)
    gaze = np.array([0.05 * np.sin(1.3 * time_s), 0.02 * np.sin(2.1 * time_s)], np.float32)
    return Expression(shown, np.stack([shown, shown]), gaze, {})


def _scene(time_s: float) -> Scene:
    pose = (2.0 * np.sin(0.9 * time_s), 7.0 * np.sin(0.7 * time_s + 0.4), 1.5 * np.sin(1.1 * time_s))
    height, width = HEIGHT * SUPERSAMPLING, WIDTH * SUPERSAMPLING
    return Scene(
        pose=np.array(pose, np.float32),
        focal=height * 0.03,
        distance=65.0,
        centre=np.array([width * (0.5 + 0.01 * np.sin(0.8 * time_s)), height * 0.5], np.float32),
        lights=LIGHTS,
        colours=np.array([[0.62, 0.6, 0.57], [0.2, 0.21, 0.23]], np.float32),
        ambient=AMBIENT,
    )


def _write_labels(path: Path, times: list[float]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["frame", "time_s", *AU_NAMES])
        for number, time_s in enumerate(times):
            writer.writerow([number, f"{time_s:.2f}", *(f"{value:.3f}" for value in intensities_at(time_s))])


def _smooth(share: float) -> float:
    inside = min(1.0, max(0.0, share))
    return inside * inside * (3 - 2 * inside)
