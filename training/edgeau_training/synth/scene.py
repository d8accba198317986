"""Pose, camera and light of one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POSE_DEVIATION = (10.0, 17.0, 7.0)  # degrees: pitch, yaw, roll
POSE_LIMIT = (28.0, 48.0, 24.0)


@dataclass(frozen=True)
class Scene:
    """Camera, light and pose in which a head is seen.

    Attributes:
        pose: ``(3,)``, pitch, yaw, roll in degrees.
        focal: pixels per cm at the head's place.
        distance: from the camera to the head, cm.
        centre: ``(2,)``, where the head's centre falls, pixels.
        lights: ``(L, 3)``, unit vectors towards the lights, camera axes.
        colours: ``(L, 3)``, strength of each light, linear RGB.
        ambient: ``(3,)``, light from everywhere, linear RGB.
    """

    pose: NDArray[np.float32]
    focal: float
    distance: float
    centre: NDArray[np.float32]
    lights: NDArray[np.float32]
    colours: NDArray[np.float32]
    ambient: NDArray[np.float32]


def sample_scene(random: np.random.Generator, size: int) -> Scene:
    """Draw pose, framing and light for a square picture of size pixels."""
    pose = np.clip(random.normal(0, POSE_DEVIATION), -np.array(POSE_LIMIT), POSE_LIMIT).astype(np.float32)
    focal = size * random.uniform(0.037, 0.0505)
    shift = random.normal(0, 0.025, 2) * size
    centre = np.array([size / 2 + shift[0], size * 0.5 + shift[1]], np.float32)
    lights, colours = _lights(random)
    level = random.uniform(0.18, 0.6)
    ambient = (level * np.clip(random.normal(1, 0.05, 3), 0.75, 1.25)).astype(np.float32)
    return Scene(pose, float(focal), float(random.uniform(32, 120)), centre, lights, colours, ambient)


def _lights(random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    count = int(random.choice((1, 2, 3), p=(0.4, 0.4, 0.2)))
    directions = np.stack(
        [random.normal(0, 0.75, count), random.normal(0.4, 0.5, count), random.uniform(0.25, 1.2, count)], 1
    )
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    strength = random.uniform(0.45, 1.15) * 0.55 ** np.arange(count)
    colours = strength[:, None] * np.clip(random.normal(1, 0.06, (count, 3)), 0.7, 1.3)
    return directions.astype(np.float32), colours.astype(np.float32)


def rotation(pose: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (3, 3) rotation of pitch, yaw, roll degrees: roll about z after pitch about x after yaw about y."""
    pitch, yaw, roll = np.deg2rad(pose.astype(np.float64))
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float32)


def projected(posed: NDArray[np.float32], scene: Scene) -> NDArray[np.float32]:
    """Project points to the picture.

    Args:
        posed: ``(N, 3)``, camera axes, cm: x right, y up, z towards the camera.
        scene: framing.

    Returns:
        float32 ``(N, 3)``: x y in pixels, y down, and z as given.
    """
    scale = scene.focal * scene.distance / (scene.distance - posed[:, 2])
    x, y = scene.centre[0] + posed[:, 0] * scale, scene.centre[1] - posed[:, 1] * scale
    return np.asarray(np.stack([x, y, posed[:, 2]], 1), np.float32)
