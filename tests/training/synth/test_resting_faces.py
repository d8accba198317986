"""Resting faces vary where action units act, belong to their person, and show no AU."""

from __future__ import annotations

import numpy as np

from edgeau_training.synth.expressions import sample_expression
from edgeau_training.synth.resting_shape import RestingShape
from edgeau_training.synth.rig import FACE
from edgeau_training.synth.splits import IDENTITIES, REST_EVERY, sample_of
from edgeau_training.synth.worn_folds import worn_in


def test_at_rest_there_is_no_au_and_no_trace():
    random = np.random.default_rng(1)
    for _ in range(50):
        face = sample_expression(random, at_rest=True)
        assert not face.intensities.any()
        assert not face.sides.any()


def test_every_identity_is_soon_among_the_resting_pictures():
    faces = [sample_of("val", number, 3) for number in range(REST_EVERY * IDENTITIES["val"])]
    resting = [face.identity for face in faces if face.at_rest]
    assert len(set(resting)) == len(resting) == IDENTITIES["val"]


def test_brows_lids_and_mouth_corners_differ_from_person_to_person(renderer):
    rig = renderer.rig
    skin = np.zeros(len(rig.neutral), bool)
    skin[rig.triangles[rig.materials == FACE].ravel()] = True
    shape = RestingShape(rig.neutral, rig.landmarks, skin)
    drawn = np.stack([shape.sample(np.random.default_rng(seed)) for seed in range(60)])
    spread = drawn[:, rig.landmarks].std(0)
    assert spread[[19, 24], 1].min() > 0.08
    assert spread[[48, 54], 1].min() > 0.04
    assert np.abs(drawn).max() < 1
    np.testing.assert_array_equal(drawn[0], shape.sample(np.random.default_rng(0)))


def test_old_skins_have_folds_worn_in_and_some_skins_have_none(renderer):
    skin = renderer.skin((1, 3))
    flat = np.zeros_like(skin.relief)
    depth = {
        age: [
            np.abs(worn_in(np.random.default_rng(seed), flat, skin.wrinkles, age)).mean()
            for seed in range(40)
        ]
        for age in (0.0, 1.0)
    }
    assert np.mean(depth[1.0]) > 1.5 * np.mean(depth[0.0])
    assert not flat.any()
