"""Pictures follow from their seeds, show what their labels say, and hold a face that can be found."""

from __future__ import annotations

import numpy as np
import pytest

from edgeau.faces.landmarks import open_landmarker
from edgeau_training.synth.action_units import AUS
from edgeau_training.synth.expressions import Expression
from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.scene import Scene
from edgeau_training.synth.wrinkles import wrinkled_height

PERSON, SKIN = (1, 2), (1, 3)


def expression(**aus: float) -> Expression:
    shown = np.zeros(len(AUS), np.float32)
    for name, value in aus.items():
        shown[AUS.index(int(name[2:]))] = value
    return Expression(shown, np.stack([shown, shown]), np.zeros(2, np.float32), {})


def frontal(side: int) -> Scene:
    light = np.array([[0.3, 0.5, 0.8]], np.float32)
    return Scene(
        pose=np.zeros(3, np.float32),
        focal=side * 0.045,
        distance=60.0,
        centre=np.array([side / 2, side / 2], np.float32),
        lights=light / np.linalg.norm(light),
        colours=np.full((1, 3), 0.7, np.float32),
        ambient=np.full(3, 0.4, np.float32),
    )


def shown(renderer: Renderer, face: Expression, side: int = 192) -> np.ndarray:
    room = np.full((side, side, 3), 0.5, np.float32)
    random = np.random.default_rng(0)
    return renderer.linear(
        random, renderer.person(PERSON), renderer.skin(SKIN), face, frontal(side), room=room
    )


def test_the_same_seeds_give_the_same_bytes(renderer, tiny_rig, rig_cache):
    again = Renderer(load_rig(tiny_rig, rig_cache), 128)
    for number in range(4):
        seeds = (1, number), (2, number), (3, number)
        first, second = renderer.picture(*seeds), again.picture(*seeds)
        np.testing.assert_array_equal(first.image, second.image)
        np.testing.assert_array_equal(first.intensities, second.intensities)


def test_a_picture_is_a_picture(renderer):
    picture = renderer.picture((1, 0), (2, 0), (3, 0))
    assert picture.image.shape == (128, 128, 3)
    assert picture.image.dtype == np.uint8
    assert picture.image.std() > 10
    assert picture.pose.shape == (3,)


@pytest.mark.parametrize("number", [number for number in AUS if number != 27])
def test_every_au_changes_its_half_of_the_face(renderer, number):
    neutral, active = shown(renderer, expression()), shown(renderer, expression(**{f"AU{number}": 1.0}))
    rows, _ = np.nonzero(np.abs(active - neutral).max(2) > 0.02)
    assert len(rows) > 15
    if number != 9:  # the nose is in the middle
        assert (rows.mean() < 96) == (number in (1, 2, 4, 5, 6, 7, 43))


@pytest.mark.parametrize(
    ("driver", "number"),
    [
        ("browInnerUp_L", 1),
        ("browDown_L", 4),
        ("cheekSquint_L", 6),
        ("noseSneer_R", 9),
        ("mouthDimple_L", 14),
    ],
)
def test_expressions_fold_the_skin(renderer, driver, number):
    skin = renderer.skin(SKIN)
    folded = wrinkled_height(skin.relief, skin.wrinkles, {driver: 1.0})
    assert np.abs(folded - skin.relief).max() > 0.01, number
    np.testing.assert_array_equal(wrinkled_height(skin.relief, skin.wrinkles, {}), skin.relief)


def test_closed_lips_stay_closed_when_the_nose_wrinkles(renderer):
    above, below = renderer.rig.landmarks[[61, 62, 63]], renderer.rig.landmarks[[67, 66, 65]]

    def gap(**aus: float) -> float:
        face, person = expression(**aus), renderer.person(PERSON)
        hair = type("Bald", (), {"lift": np.zeros(len(renderer.rig.neutral), np.float32)})()
        coefficients = renderer._coefficients.of(face, person.rest)
        posed = renderer._posed(person, coefficients, face, hair, frontal(192))
        return float((posed[above, 1] - posed[below, 1]).mean())

    assert gap(AU10=1.0) < gap() + 0.2
    assert gap(AU25=0.8) > gap() + 0.3


def test_mediapipe_finds_most_of_the_small_rigs_faces(tiny_rig, rig_cache):
    renderer = Renderer(load_rig(tiny_rig, rig_cache), 256)
    with open_landmarker(static=True) as landmarker:
        pictures = [renderer.picture((1, n), (2, n % 3), (3, n)).image[:, :, ::-1] for n in range(12)]
        assert sum(bool(landmarker.detect(picture)) for picture in pictures) >= 9
