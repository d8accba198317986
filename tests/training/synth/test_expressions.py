"""Labels are true by construction, and every shipped AU occurs often enough to be learnt."""

from __future__ import annotations

import numpy as np
import pytest

from edgeau_training.synth.action_units import ACTIVE, AUS, MIXTURES, TRACE, mixture_matrix
from edgeau_training.synth.coefficients import Coefficients, resting_face
from edgeau_training.synth.expressions import EXCLUSIVE, sample_expression
from edgeau_training.synth.rig import load_rig

SHIPPED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43)


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    random = np.random.default_rng(3)
    return np.stack([sample_expression(random).intensities for _ in range(4000)])


def column(number: int) -> int:
    return AUS.index(number)


def test_no_mixture_moves_what_defines_another_au():
    defining = {next(iter(mixture)): number for number, mixture in MIXTURES.items()}
    for number, mixture in MIXTURES.items():
        for name, weight in mixture.items():
            # 27 is more of 26, and whenever it is labelled, 26 is too.
            if name in defining and defining[name] != number and {number, defining[name]} != {26, 27}:
                assert weight <= 0.2, (number, name)


def test_every_intensity_is_clearly_there_or_clearly_not(drawn):
    assert not ((drawn > TRACE) & (drawn < ACTIVE)).any()
    assert drawn.max() <= 1


@pytest.mark.parametrize("number", SHIPPED)
def test_every_shipped_au_is_frequent_enough(drawn, number):
    assert (drawn[:, column(number)] >= ACTIVE).mean() > 0.1


def test_excluded_pairs_never_meet(drawn):
    active = drawn >= ACTIVE
    for first, second in EXCLUSIVE:
        assert not (active[:, column(first)] & active[:, column(second)]).any(), (first, second)


@pytest.mark.parametrize(("number", "implied"), [(27, 26), (26, 25), (22, 25)])
def test_what_parts_the_lips_is_labelled_so(drawn, number, implied):
    active = drawn >= ACTIVE
    assert active[active[:, column(number)], column(implied)].all()


def test_neutral_faces_are_among_them(drawn):
    assert 0.03 < (drawn < ACTIVE).all(1).mean() < 0.3


def test_a_wrinkled_nose_is_seen_with_and_without_a_frown(drawn):
    active = drawn >= ACTIVE
    nose = active[:, column(9)]
    assert 0.4 < active[nose, column(4)].mean() < 0.9


def test_oblique_brows_are_frequent_and_the_inner_rise_is_not_hidden(drawn):
    both = (drawn[:, column(1)] >= ACTIVE) & (drawn[:, column(4)] >= ACTIVE)
    assert both.mean() > 0.05
    assert (drawn[both, column(1)] >= 0.69 * drawn[both, column(4)]).all()


def test_smiles_come_with_raised_cheeks_more_often_than_other_faces(drawn):
    active = drawn >= ACTIVE
    smile = active[:, column(12)]
    assert active[smile, column(6)].mean() > 1.5 * active[~smile, column(6)].mean()


def test_the_stronger_side_shows_the_label():
    random = np.random.default_rng(4)
    for _ in range(300):
        face = sample_expression(random)
        np.testing.assert_allclose(face.sides.max(0), face.intensities, rtol=1e-6)


def test_coefficients_follow_the_label_and_the_side(tiny_rig, rig_cache):
    names = load_rig(tiny_rig, rig_cache).expression_names
    at = {str(name): place for place, name in enumerate(names)}
    matrix = mixture_matrix(names)
    assert matrix[0, column(12), at["mouthSmile_L"]] == 1
    assert matrix[0, column(12), at["mouthSmile_R"]] == 0
    assert matrix[0, column(17), at["mouthShrugLower_L"]] == 1
    rest = np.zeros(len(names), np.float32)
    random = np.random.default_rng(5)
    for _ in range(200):
        face = sample_expression(random)
        moved = Coefficients(names).of(face, rest)
        assert moved[at["mouthSmile_L"]] == pytest.approx(face.sides[0, column(12)], abs=1e-6)
        assert moved[at["mouthSmile_R"]] == pytest.approx(face.sides[1, column(12)], abs=1e-6)


def test_a_resting_face_stays_below_the_trace_limit(tiny_rig, rig_cache):
    names = load_rig(tiny_rig, rig_cache).expression_names
    faces = np.stack([resting_face(names, np.random.default_rng(seed)) for seed in range(200)])
    brows = [str(name).startswith(("brow", "mouth", "eye", "cheek", "nose")) for name in names]
    assert faces[:, brows].max() < TRACE + 0.02
    assert (faces[:, brows].std(0).max()) > 0.05
