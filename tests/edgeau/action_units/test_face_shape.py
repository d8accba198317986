import numpy as np
import pytest

from edgeau.action_units.face_shape import procrustes_align
from edgeau.errors import InputError

EVERY = np.arange(468)


def turned(face, degrees, scale, shift):
    """A similarity: rotation about x, then y, then z."""
    x, y, z = np.deg2rad(degrees)
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return face @ (np.array(about_z) @ about_y @ about_x).T * scale + shift


@pytest.mark.parametrize("degrees", [(0, 0, 0), (10, -40, 5), (-30, 20, 170), (90, 0, 0)])
def test_place_size_and_rotation_make_no_difference(astronaut_landmarks, degrees):
    face = astronaut_landmarks[:468].astype(np.float64)
    template = face[:60] / 100
    weights = np.linspace(0, 2, 60)
    moved = turned(face, degrees, 3.7, (100, -20, 5))
    laid = procrustes_align(moved[None], EVERY[:60], template, weights, EVERY)
    assert laid.shape == (1, 468, 3)
    assert np.abs(laid[0] - face / 100).max() < 1e-4


def test_the_fit_is_the_best_similarity(astronaut_landmarks):
    """No small further turn, growth or shift of the result brings the weighted points closer to the template."""
    random = np.random.default_rng(0)
    face = astronaut_landmarks[:468].astype(np.float64)
    template = face[:60] / 100 + random.normal(0, 0.05, (60, 3))
    weights = random.uniform(0, 1, 60)
    laid = procrustes_align(face[None], EVERY[:60], template, weights, EVERY[:60])[0].astype(np.float64)

    def miss(points):
        return float((weights[:, None] * (points - template) ** 2).sum())

    for _ in range(50):
        further = turned(
            laid, random.normal(0, 0.5, 3), 1 + random.normal(0, 0.01), random.normal(0, 0.01, 3)
        )
        assert miss(further) > miss(laid)


def test_a_mirrored_face_is_not_turned_into_itself(astronaut_landmarks):
    face = astronaut_landmarks[:468].astype(np.float64)
    template, weights = face / 100, np.ones(468)
    laid = procrustes_align((face * (-1, 1, 1))[None], EVERY, template, weights, EVERY)[0]
    axes = [np.linalg.det(points[[263, 10, 1]] - points[33]) for points in (laid, template)]
    assert np.sign(axes[0]) == -np.sign(axes[1])


def test_each_face_of_a_batch_is_laid_alone(astronaut_landmarks):
    face = astronaut_landmarks[:468].astype(np.float64)
    other = turned(face, (5, 10, 15), 2, 3) + np.random.default_rng(0).normal(0, 1, face.shape)
    template, weights = face / 100, np.ones(468)
    both = procrustes_align(np.stack((face, other)), EVERY, template, weights, EVERY)
    alone = procrustes_align(other[None], EVERY, template, weights, EVERY)
    assert np.allclose(both[1], alone[0], atol=1e-6)


@pytest.mark.parametrize("bad", [0.0, 123.456, np.nan])
def test_points_that_give_no_fit_are_refused(astronaut_landmarks, bad):
    face = np.full((1, 468, 3), bad)
    with pytest.raises(InputError, match="coincide or are not finite"):
        procrustes_align(face, EVERY, astronaut_landmarks[:468], np.ones(468), EVERY)
