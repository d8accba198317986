import numpy as np
import pytest

from edgeau_training.landmark_model.template import learn_template, mirror_pairs, mirrored_mean

PAIRS = ((33, 263), (61, 291), (159, 386), (105, 334), (78, 308))


@pytest.fixture(scope="module")
def template(make_faces):
    return learn_template(make_faces(300)[0])


def test_the_template_is_symmetric_upright_and_of_unit_size(template):
    points = template.points
    assert np.allclose(points[template.mirror] * (-1, 1, 1), points, atol=1e-6)
    assert points[263, 0] - points[33, 0] == pytest.approx(1, abs=1e-3)
    assert points[152, 1] > points[1, 1] > points[10, 1]  # chin below nose below forehead: y goes down
    assert points[1, 2] < points[33, 2]  # the nose is closer to the camera


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_known_points_of_the_mesh_pair_up(template, left, right):
    assert template.mirror[left] == right
    assert template.mirror[right] == left


def test_points_that_expressions_move_count_less(template):
    assert template.weights[[61, 291]].mean() < 0.7 * np.median(template.weights)


def test_a_mirrored_face_gives_the_same_symmetric_half(template, make_faces):
    landmarks = make_faces(5, seed=3)[0][:, :468]
    mirrored = (landmarks * np.float32([-1, 1, 1]))[:, template.mirror]
    assert np.abs(template.symmetric(landmarks) - template.symmetric(mirrored)).max() < 1e-5


def test_a_face_that_is_not_symmetric_is_refused():
    with pytest.raises(ValueError, match="do not pair up"):
        mirror_pairs(np.random.default_rng(0).normal(0, 1, (468, 3)))


def test_the_mirrored_mean_of_a_symmetric_array_is_itself(template):
    half = mirrored_mean(template.points, template.mirror)
    assert np.allclose(half, template.points, atol=1e-6)
