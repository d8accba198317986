"""One synthetic face from its identity, texture and random stream: mesh, z-buffer, shading, accessories, camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth import accessories
from edgeau_training.synth import rig as parts
from edgeau_training.synth.action_units import ACTIVE, AUS
from edgeau_training.synth.atlas import atlas_points
from edgeau_training.synth.background import sample_background
from edgeau_training.synth.camera import develop
from edgeau_training.synth.coefficients import Coefficients, resting_face
from edgeau_training.synth.expressions import Expression, sample_expression
from edgeau_training.synth.hair import Hair, paint_strands, sample_hair
from edgeau_training.synth.lip_seal import LipSeal
from edgeau_training.synth.raster import add_offsets, rasterize, vertex_normals
from edgeau_training.synth.rig import Rig
from edgeau_training.synth.scene import Scene, rotation, sample_scene
from edgeau_training.synth.shading import shade
from edgeau_training.synth.texture import Skin, make_skin
from edgeau_training.synth.wrinkles import wrinkled_height

SUPERSAMPLING = 1.5  # linear; the picture is rendered larger and reduced by area
IDENTITY_DEVIATION = 0.9
FACE_DEPTH = 4.0  # cm before the rig's origin: the point that pose turns about
SKINS_KEPT = 512

Seed = tuple[int, ...]


@dataclass(frozen=True)
class Person:
    """identity offsets applied (V, 3) and the resting face (E,)."""

    vertices: NDArray[np.float32]
    rest: NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """What a picture fixes besides expression and scene: eyes and what is worn. All drawn per texture or picture."""

    iris: NDArray[np.float32]
    sclera: NDArray[np.float32]
    pupil: float
    teeth: float
    lash_density: float


@dataclass(frozen=True)
class Picture:
    """image (size, size, 3) uint8 RGB; intensities (22,) float32; pose (3,) float32 degrees: pitch, yaw, roll."""

    image: NDArray[np.uint8]
    intensities: NDArray[np.float32]
    pose: NDArray[np.float32]


class Renderer:
    """Renders pictures of one rig. Everything drawn follows from the seeds given, to the byte."""

    def __init__(self, rig: Rig, size: int = 256) -> None:
        self.rig = rig
        self.size = size
        self._inner = int(round(size * SUPERSAMPLING))
        self._points = atlas_points(rig)
        self._modes = np.ascontiguousarray(rig.identity.reshape(len(rig.identity), -1))
        self._coefficients = Coefficients(rig.expression_names)
        self._names = [str(name) for name in rig.expression_names]
        moving = [np.flatnonzero(np.abs(shape).max(1) > 1e-4) for shape in rig.expression]
        self._moving = [
            (rows, np.ascontiguousarray(shape[rows]))
            for rows, shape in zip(moving, rig.expression, strict=True)
        ]
        face = np.zeros(len(rig.neutral), bool)
        face[rig.triangles[rig.materials == parts.FACE].ravel()] = True
        self._seal = LipSeal(rig.neutral, rig.landmarks, face)
        self._lashes = np.flatnonzero(rig.materials == parts.LASHES)
        self._eyes = _eye_geometry(rig)
        self._upper_lash = (
            rig.neutral[rig.triangles[self._lashes]][:, :, 1].mean(1) > self._eyes[0][0, 1] - 0.35
        )
        self._outward = vertex_normals(rig.neutral, rig.triangles)
        self.skin: Callable[[Seed], Skin] = lru_cache(SKINS_KEPT)(self._make_skin)
        self.person: Callable[[Seed], Person] = lru_cache(64)(self._make_person)

    def picture(self, identity: Seed, texture: Seed, seed: Seed) -> Picture:
        """Render the picture of one person (seed), one skin (seed) and one random stream (seed)."""
        random = np.random.default_rng(seed)
        expression = sample_expression(random)
        scene = sample_scene(random, self._inner)
        linear = self.linear(random, self.person(identity), self.skin(texture), expression, scene)
        return Picture(develop(random, linear, self.size), expression.intensities, scene.pose)

    def linear(
        self, random: np.random.Generator, person: Person, skin: Skin, expression: Expression, scene: Scene,
        canvas: NDArray[np.float32] | None = None, plain: bool = False,
    ) -> NDArray[np.float32]:  # fmt: skip
        """Return the picture before the camera: (S, S, 3) float32 linear RGB; canvas replaces the background, plain
        leaves out what may cover the face.
        """
        coefficients = self._coefficients.of(expression, person.rest)
        hair = sample_hair(random, self.rig, skin.hair, skin.age)
        vertices = self._deformed(person, coefficients)
        if not any(expression.intensities[AUS.index(number)] >= ACTIVE for number in (25, 26, 27)):
            self._seal.close(vertices, person.vertices)
        vertices = vertices + self._outward * hair.lift[:, None]
        turn = rotation(scene.pose)
        posed = np.ascontiguousarray(
            (vertices - np.array([0, 0, FACE_DEPTH], np.float32)) @ turn.T, np.float32
        )
        screen = _projected(posed, scene)
        image = sample_background(random, self._inner) if canvas is None else canvas.copy()
        if hair.long:
            self._long_hair(random, image, screen, skin)
        self._head(random, image, (posed, screen), coefficients, skin, hair, scene)
        if not plain:
            self._cover(random, image, (posed, screen), skin, hair, scene)
        return image

    def _make_skin(self, seed: Seed) -> Skin:
        return make_skin(np.random.default_rng(seed), self._points)

    def _make_person(self, seed: Seed) -> Person:
        random = np.random.default_rng(seed)
        weights = np.clip(random.normal(0, IDENTITY_DEVIATION, len(self._modes)), -2.6, 2.6).astype(
            np.float32
        )
        vertices = self.rig.neutral + (weights @ self._modes).reshape(-1, 3)
        return Person(vertices, resting_face(self.rig.expression_names, random))

    def _deformed(self, person: Person, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        vertices = person.vertices.copy()
        for number in np.flatnonzero(np.abs(coefficients) > 2e-3):
            add_offsets(vertices, *self._moving[number], coefficients[number])
        return vertices

    def _head(
        self, random: np.random.Generator, image: NDArray[np.float32], mesh: tuple[NDArray[np.float32], NDArray[np.float32]],
        coefficients: NDArray[np.float32], skin: Skin, hair: Hair, scene: Scene,
    ) -> None:  # fmt: skip
        posed, screen = mesh
        shape, rig = image.shape[:2], self.rig
        look = _sample_look(random)
        depth = np.full(shape, -1e9, np.float32)
        hit = np.full(shape, -1, np.int32)
        weights = np.zeros((*shape, 2), np.float32)
        rasterize(screen, rig.triangles, self._sides(look.lash_density), depth, hit, weights)
        active = {
            name: float(value) for name, value in zip(self._names, coefficients, strict=True) if value > 0.02
        }
        height = wrinkled_height(skin.relief, skin.wrinkles, active)
        centres, axes = self._eyes
        shade(
            image, hit, weights, _cavity(depth, hit >= 0, scene.focal), rig.triangles, rig.materials, posed,
            vertex_normals(posed, rig.triangles), rig.neutral, rig.uvs, skin.albedo, height, hair.strands, hair.share,
            centres, axes, look.iris, look.sclera, look.pupil, scene.lights, scene.colours, scene.ambient,
            skin.gloss, float(random.uniform(8, 26)), look.teeth,
        )  # fmt: skip

    def _sides(self, density: float) -> NDArray[np.uint8]:
        sides = np.zeros(len(self.rig.triangles), np.uint8)
        # Lashes are solid cards in the rig; a stride over them leaves single hairs standing. Lower
        # ones would be dots on the cheek at this size.
        threshold = np.where(self._upper_lash, density, 0.0)
        keep = (np.arange(len(self._lashes)) // 2 * 0.618) % 1.0 < threshold
        sides[self._lashes] = np.where(keep, 1, 2)
        return sides

    def _long_hair(
        self, random: np.random.Generator, image: NDArray[np.float32], screen: NDArray[np.float32], skin: Skin
    ) -> None:
        size = image.shape[0]
        points = screen[self.rig.landmarks[:,]][:, :2]
        middle, width = points[27], float(np.linalg.norm(points[16] - points[0]))
        count = 240
        start = np.linspace(-0.62, 0.62, count) + random.normal(0, 0.02, count)
        angle = start / 0.62 * 1.45
        roots = middle + np.stack([np.sin(angle) * 0.56, -0.15 - np.cos(angle) * 0.45], 1) * width
        spread, fall = random.uniform(0.5, 0.85), random.uniform(0.35, 1.25)
        side = np.sign(start) * (0.2 + 0.8 * np.abs(start) / 0.62)
        tips = (
            middle
            + np.stack(
                [side * spread + random.normal(0, 0.04, count), fall + random.normal(0, 0.05, count)], 1
            )
            * width
        )
        paint_strands(
            random,
            image,
            roots.astype(np.float32),
            tips.astype(np.float32),
            skin.hair * 0.85,
            size / 110,
            0.08,
        )

    def _cover(
        self, random: np.random.Generator, image: NDArray[np.float32], mesh: tuple[NDArray[np.float32], NDArray[np.float32]],
        skin: Skin, hair: Hair, scene: Scene,
    ) -> None:  # fmt: skip
        posed, screen = mesh
        points = screen[self.rig.landmarks][:, :2]
        width = float(np.linalg.norm(points[16] - points[0]))
        if random.random() < 0.2:
            camera = np.array([scene.focal, scene.distance, scene.centre[0], scene.centre[1]], np.float32)
            accessories.draw_glasses(random, image, posed, camera, self.rig.landmarks)
        if hair.fringe:
            self._fringe(random, image, points, width, skin)
        if random.random() < 0.045:
            accessories.draw_hand(random, image, skin.tone, points[:17])
        if random.random() < 0.006:
            accessories.draw_mask(random, image, points)

    def _fringe(
        self,
        random: np.random.Generator,
        image: NDArray[np.float32],
        points: NDArray[np.float32],
        width: float,
        skin: Skin,
    ) -> None:
        middle = (points[21] + points[22]) / 2
        up = points[27] - points[33]
        up = up / (np.linalg.norm(up) + 1e-6)
        across = np.array([-up[1], up[0]])
        count = int(random.integers(10, 90))
        low, high = sorted(random.uniform(-0.5, 0.5, 2))
        place = random.uniform(low - 0.05, high + 0.05, count)
        roots = middle + up * width * random.uniform(0.48, 0.62) + across * (place * width)[:, None] * 0.8
        length = random.uniform(0.15, 0.5) * width * random.uniform(0.8, 1.1, count)
        slant = random.normal(0, 0.35)
        tips = (
            roots
            - up * length[:, None]
            + across * (length * slant + random.normal(0, 0.03, count) * width)[:, None]
        )
        paint_strands(
            random,
            image,
            roots.astype(np.float32),
            tips.astype(np.float32),
            skin.hair,
            image.shape[0] / 260,
            0.12,
        )


def _projected(posed: NDArray[np.float32], scene: Scene) -> NDArray[np.float32]:
    scale = scene.focal * scene.distance / (scene.distance - posed[:, 2])
    x, y = scene.centre[0] + posed[:, 0] * scale, scene.centre[1] - posed[:, 1] * scale
    return np.stack([x, y, posed[:, 2]], 1).astype(np.float32)


def _cavity(depth: NDArray[np.float32], covered: NDArray[np.bool_], focal: float) -> NDArray[np.float32]:
    """Darkening 0..0.7 of what lies below its surroundings: sockets, nostrils, the open mouth."""
    flat = np.where(covered, depth, depth[covered].min() if covered.any() else 0).astype(np.float32)
    small = cv2.resize(flat, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), 0.14 * focal)
    near = cv2.resize(near, (depth.shape[1], depth.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.clip((near - flat) * 1.1, 0, 0.7).astype(np.float32)


def _eye_geometry(rig: Rig) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    centres = []
    for material in (parts.EYE_LEFT, parts.EYE_RIGHT):
        vertices = rig.neutral[np.unique(rig.triangles[rig.materials == material])]
        low, high = vertices.min(0), vertices.max(0)
        radius = float(high[1] - low[1]) / 2
        # The back of the eyeball is trimmed away, so depth is measured from its front pole.
        centres.append([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2] - radius])
    axes = np.array([[0.03, -0.02, 1.0], [-0.03, -0.02, 1.0]], np.float32)
    return np.array(centres, np.float32), axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _sample_look(random: np.random.Generator) -> Look:
    kinds = np.array([[0.05, 0.02, 0.01], [0.1, 0.045, 0.018], [0.16, 0.1, 0.04], [0.12, 0.15, 0.08], [0.1, 0.17, 0.26],
                      [0.2, 0.24, 0.27]], np.float32)  # fmt: skip
    iris = kinds[random.choice(len(kinds), p=(0.34, 0.28, 0.12, 0.08, 0.11, 0.07))] * random.uniform(0.7, 1.4)
    white = np.array([0.74, 0.68, 0.66], np.float32) * random.uniform(0.75, 1.0)
    return Look(iris.astype(np.float32), white.astype(np.float32), float(random.uniform(0.12, 0.24)),
                float(random.uniform(0.7, 1.1)), float(random.uniform(0.04, 0.34)))  # fmt: skip
