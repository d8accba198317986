"""The head of one picture: its mesh in pixels, and what is seen of it, shaded."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.drawing import Image
from edgeau_training.synth.eyes import eye_geometry, sample_look
from edgeau_training.synth.hair import Hair
from edgeau_training.synth.raster import rasterize, vertex_normals
from edgeau_training.synth.rig import LASHES, Rig
from edgeau_training.synth.scene import Scene
from edgeau_training.synth.shading import shade
from edgeau_training.synth.texture import Skin
from edgeau_training.synth.wrinkles import wrinkled_height

__all__ = ["Head", "HeadPainter"]


@dataclass(frozen=True)
class Head:
    """One head before the camera.

    Attributes:
        posed: float32 ``(V, 3)``, vertices in camera axes, cm.
        screen: float32 ``(V, 3)``, x y in pixels, z in cm, larger is closer.
        coefficients: rig coefficient by shape name; small ones may be left out.
        skin: colours, relief and wrinkles.
        hair: share of hair of every vertex.
    """

    posed: NDArray[np.float32]
    screen: NDArray[np.float32]
    coefficients: dict[str, float]
    skin: Skin
    hair: Hair


class HeadPainter:
    """Paints heads of one rig."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._eyes = eye_geometry(rig)
        self._lashes = np.flatnonzero(rig.materials == LASHES)
        lash_height = rig.neutral[rig.triangles[self._lashes]][:, :, 1].mean(1)
        self._upper_lash = lash_height > self._eyes[0][0, 1] - 0.35

    def paint(self, random: np.random.Generator, image: Image, head: Head, scene: Scene) -> None:
        """Paint a head onto an image, float32 ``(H, W, 3)``, linear RGB, in place."""
        rig, shape, skin = self._rig, image.shape[:2], head.skin
        look = sample_look(random)
        depth = np.full(shape, -1e9, np.float32)
        hit = np.full(shape, -1, np.int32)
        weights = np.zeros((*shape, 2), np.float32)
        rasterize(head.screen, rig.triangles, self._sides(look.lash_density), depth, hit, weights)
        height = wrinkled_height(skin.relief, skin.wrinkles, head.coefficients)
        normals = vertex_normals(head.posed, rig.triangles)
        cavity = _cavity(depth, hit >= 0, scene.focal)
        shade(
            image, hit, weights, cavity, rig.triangles, rig.materials, head.posed, normals, rig.neutral, rig.uvs,
            skin.albedo, height, head.hair.strands, head.hair.share, *self._eyes, look.iris, look.sclera, look.pupil,
            scene.lights, scene.colours, scene.ambient, skin.gloss, float(random.uniform(8, 26)), look.teeth,
        )  # fmt: skip

    def _sides(self, density: float) -> NDArray[np.uint8]:
        sides = np.zeros(len(self._rig.triangles), np.uint8)
        # Lashes are solid cards in the rig; a stride over them leaves single hairs standing. Lower ones would be dots on
        # the cheek at this size.
        threshold = np.where(self._upper_lash, density, 0.0)
        keep = (np.arange(len(self._lashes)) // 2 * 0.618) % 1.0 < threshold
        sides[self._lashes] = np.where(keep, 1, 2)
        return sides


def _cavity(depth: NDArray[np.float32], covered: NDArray[np.bool_], focal: float) -> NDArray[np.float32]:
    """Darkening 0..0.7 of what lies below its surroundings: sockets, nostrils, the open mouth."""
    flat = np.where(covered, depth, depth[covered].min() if covered.any() else 0).astype(np.float32)
    small = cv2.resize(flat, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), 0.14 * focal)
    near = cv2.resize(near, (depth.shape[1], depth.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.clip((near - flat) * 1.1, 0, 0.7).astype(np.float32)
