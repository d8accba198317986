"""One synthetic face from its identity, texture and random stream: mesh, head, what covers it, camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.action_units import ACTIVE, AUS
from edgeau_training.synth.atlas import atlas_points
from edgeau_training.synth.background import sample_background
from edgeau_training.synth.camera import develop
from edgeau_training.synth.coefficients import Coefficients, resting_face
from edgeau_training.synth.drawing import Image
from edgeau_training.synth.expressions import Expression, sample_expression
from edgeau_training.synth.glasses import draw_glasses
from edgeau_training.synth.hair import Hair, sample_hair
from edgeau_training.synth.head import Head, HeadPainter
from edgeau_training.synth.lips import LipSeal
from edgeau_training.synth.loose_hair import draw_fringe, draw_long_hair
from edgeau_training.synth.occluders import draw_hand, draw_mask
from edgeau_training.synth.raster import add_offsets, vertex_normals
from edgeau_training.synth.resting_shape import RestingShape
from edgeau_training.synth.rig import FACE, Rig
from edgeau_training.synth.scene import Scene, projected, rotation, sample_scene
from edgeau_training.synth.texture import Skin, make_skin

__all__ = ["SUPERSAMPLING", "Person", "Picture", "Renderer", "Seed"]

SUPERSAMPLING = 1.5  # linear; the picture is rendered larger and reduced by area
_IDENTITY_DEVIATION, _IDENTITY_LIMIT = 0.9, 2.6  # of the rig's unit-variance modes
_FACE_DEPTH = np.array([0, 0, 4.0], np.float32)  # cm before the rig's origin: the point that pose turns about
_SKINS_KEPT, _PERSONS_KEPT = 512, 64
_PARTING = (25, 26, 27)  # AUs that part the lips
_GLASSES, _HAND, _MASK = 0.22, 0.07, 0.006  # shares of the pictures that show them

Seed = tuple[int, ...]


@dataclass(frozen=True)
class Person:
    """An identity: vertices float32 ``(V, 3)`` cm without expression, and the coefficients ``(E,)`` shown at rest."""

    vertices: NDArray[np.float32]
    rest: NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """A finished picture.

    Attributes:
        image: uint8 ``(size, size, 3)``, RGB.
        intensities: float32 ``(22,)``, 0..1, in the order of ``action_units.AUS``.
        sides: float32 ``(2, 22)``, of the subject's own left and right half.
        pose: float32 ``(3,)``, pitch, yaw, roll in degrees.
    """

    image: NDArray[np.uint8]
    intensities: NDArray[np.float32]
    sides: NDArray[np.float32]
    pose: NDArray[np.float32]


class Renderer:
    """Renders pictures of one rig. Everything drawn follows from the seeds given, to the byte.

    Args:
        rig: loaded.
        size: side of the pictures, pixels.
    """

    def __init__(self, rig: Rig, size: int = 256) -> None:
        self.rig = rig
        self.size = size
        self._inner = round(size * SUPERSAMPLING)
        self._points = atlas_points(rig)
        self._modes = np.ascontiguousarray(rig.identity.reshape(len(rig.identity), -1))
        self._coefficients = Coefficients(rig.expression_names)
        self._names = [str(name) for name in rig.expression_names]
        self._moving = [_moving_rows(shape) for shape in rig.expression]
        face = np.zeros(len(rig.neutral), bool)
        face[rig.triangles[rig.materials == FACE].ravel()] = True
        self._seal = LipSeal(rig.neutral, rig.landmarks, face)
        self._resting = RestingShape(rig.neutral, rig.landmarks, face)
        self._painter = HeadPainter(rig)
        self._outward = vertex_normals(rig.neutral, rig.triangles)
        self.skin: Callable[[Seed], Skin] = lru_cache(_SKINS_KEPT)(self._make_skin)
        self.person: Callable[[Seed], Person] = lru_cache(_PERSONS_KEPT)(self._make_person)

    def picture(self, identity: Seed, texture: Seed, seed: Seed, at_rest: bool = False) -> Picture:
        """Render a picture.

        Args:
            identity: stream of the person.
            texture: stream of the skin.
            seed: stream of everything else.
            at_rest: the person shows no AU.
        """
        random = np.random.default_rng(seed)
        expression = sample_expression(random, at_rest)
        scene = sample_scene(random, self._inner)
        linear = self.linear(random, self.person(identity), self.skin(texture), expression, scene)
        image = develop(random, linear, self.size)
        return Picture(image, expression.intensities, expression.sides, scene.pose)

    def picture_at_rest(
        self, identity: Seed, texture: Seed, seed: Seed, turn: NDArray[np.float32]
    ) -> Picture:
        """Render the person of :meth:`picture` before the expression: same light, hair and camera, no AU.

        Args:
            identity: stream of the person, as in :meth:`picture`.
            texture: stream of the skin, likewise.
            seed: stream of everything else, likewise.
            turn: ``(3,)``, by how much the pose differs, degrees of pitch, yaw, roll.
        """
        random = np.random.default_rng(seed)
        sample_expression(random)  # as if it were shown, so that all else is drawn alike
        expression = sample_expression(np.random.default_rng(seed), at_rest=True)
        scene = sample_scene(random, self._inner)
        scene = replace(scene, pose=scene.pose + turn)
        linear = self.linear(random, self.person(identity), self.skin(texture), expression, scene)
        return Picture(
            develop(random, linear, self.size), expression.intensities, expression.sides, scene.pose
        )

    def linear(
        self,
        random: np.random.Generator,
        person: Person,
        skin: Skin,
        expression: Expression,
        scene: Scene,
        room: Image | None = None,
    ) -> Image:
        """The picture before the camera.

        Args:
            random: stream of hair, eyes, background and what covers the face.
            person: identity.
            skin: texture.
            expression: what is shown.
            scene: pose, framing and light.
            room: float32 ``(H, W, 3)``, stands behind the head in place of a background; nothing covers the face then.

        Returns:
            float32 ``(S, S, 3)``, or of the room's size; linear RGB.
        """
        coefficients = self._coefficients.of(expression, person.rest)
        hair = sample_hair(random, self.rig, skin.hair, skin.age)
        posed = self._posed(person, coefficients, expression, hair, scene)
        screen = projected(posed, scene)
        points = screen[self.rig.landmarks][:, :2]
        image = sample_background(random, self._inner) if room is None else room.copy()
        if hair.long:
            draw_long_hair(random, image, points, skin.hair)
        named = zip(self._names, coefficients, strict=True)
        active = {name: float(value) for name, value in named if value > 0.02}
        head = Head(posed, screen, active, skin, hair)
        self._painter.paint(random, image, head, scene)
        if room is None:
            self._cover(random, image, head, scene)
        return image

    def _make_skin(self, seed: Seed) -> Skin:
        return make_skin(np.random.default_rng(seed), self._points)

    def _make_person(self, seed: Seed) -> Person:
        random = np.random.default_rng(seed)
        drawn = random.normal(0, _IDENTITY_DEVIATION, len(self._modes))
        weights = np.clip(drawn, -_IDENTITY_LIMIT, _IDENTITY_LIMIT).astype(np.float32)
        vertices = self.rig.neutral + (weights @ self._modes).reshape(-1, 3) + self._resting.sample(random)
        return Person(vertices, resting_face(self.rig.expression_names, random))

    def _posed(
        self,
        person: Person,
        coefficients: NDArray[np.float32],
        expression: Expression,
        hair: Hair,
        scene: Scene,
    ) -> NDArray[np.float32]:
        vertices = person.vertices.copy()
        for number in np.flatnonzero(np.abs(coefficients) > 2e-3):
            rows, offsets = self._moving[number]
            add_offsets(vertices, rows, offsets, coefficients[number])
        if not any(expression.intensities[AUS.index(number)] >= ACTIVE for number in _PARTING):
            self._seal.close(vertices, person.vertices)
        vertices = vertices + self._outward * hair.lift[:, None]
        return np.ascontiguousarray((vertices - _FACE_DEPTH) @ rotation(scene.pose).T, np.float32)

    def _cover(self, random: np.random.Generator, image: Image, head: Head, scene: Scene) -> None:
        points = head.screen[self.rig.landmarks][:, :2]
        if random.random() < _GLASSES:
            draw_glasses(random, image, head.posed[self.rig.landmarks], scene)
        if head.hair.fringe:
            draw_fringe(random, image, points, head.skin.hair)
        if random.random() < _HAND:
            draw_hand(random, image, head.skin.tone, points[:17])
        if random.random() < _MASK:
            draw_mask(random, image, points)


def _moving_rows(shape: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    rows = np.flatnonzero(np.abs(shape).max(1) > 1e-4)
    return rows, np.ascontiguousarray(shape[rows])
