"""Each side's label is as clear as the whole face's, and one-sided AUs occur on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from edgeau_training.synth.action_units import ACTIVE, AUS, TRACE
from edgeau_training.synth.coefficients import Coefficients
from edgeau_training.synth.expressions import Expression, sample_expression
from edgeau_training.synth.rig import halves, load_rig
from edgeau_training.synth.sides import LEFT, RIGHT, SIDED


@pytest.fixture(scope="module")
def faces():
    random = np.random.default_rng(8)
    return [sample_expression(random) for _ in range(4000)]


def test_a_side_shows_an_au_or_does_not(faces):
    sides = np.stack([face.sides for face in faces])
    assert not ((sides > TRACE + 1e-6) & (sides < ACTIVE - 1e-6)).any()


@pytest.mark.parametrize("number", SIDED)
def test_every_au_with_sides_occurs_on_either_alone(faces, number):
    active = np.stack([face.sides for face in faces])[:, :, AUS.index(number)] >= ACTIVE - 1e-6
    assert (active[:, LEFT] & ~active[:, RIGHT]).sum() > 3
    assert (active[:, RIGHT] & ~active[:, LEFT]).sum() > 3


def test_aus_without_sides_show_on_both(faces):
    sides = np.stack([face.sides for face in faces])
    for number in set(AUS) - set(SIDED):
        active = sides[:, :, AUS.index(number)] >= ACTIVE - 1e-6
        np.testing.assert_array_equal(active[:, LEFT], active[:, RIGHT])


def test_the_left_half_is_the_persons_own_left(tiny_rig, rig_cache):
    rig = load_rig(tiny_rig, rig_cache)
    shown = np.zeros(len(AUS), np.float32)
    shown[AUS.index(12)] = 1
    one = Expression(shown, np.stack([shown, 0 * shown]), np.zeros(2, np.float32), {})
    moved = Coefficients(rig.expression_names).of(one, np.zeros(len(rig.expression_names), np.float32))
    offsets = np.tensordot(moved, rig.expression, 1)
    assert offsets[rig.landmarks[54], 1] > 0.3  # iBUG 54 is the subject's left mouth corner, at positive x
    assert abs(offsets[rig.landmarks[48], 1]) < 0.05
    assert rig.neutral[rig.landmarks[54], 0] > 0


def test_halves_add_up(tiny_rig, rig_cache):
    rig = load_rig(tiny_rig, rig_cache)
    shape = rig.expression[list(rig.expression_names).index("mouthShrugLower")]
    left, right = halves(shape, rig.neutral)
    np.testing.assert_allclose(left + right, shape, atol=1e-6)
    assert not left[rig.neutral[:, 0] < -1].any()
    assert not right[rig.neutral[:, 0] > 1].any()
