import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.faces.alignment import five_points
from edgeau_training.datasets.aligners import CANVAS, ArcFaceTemplate

EYE_LEFT, EYE_RIGHT = (33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380)
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def face(points):
    """A mesh whose five points are these."""
    mesh = np.zeros((478, 3), np.float32)
    for places, point in zip((EYE_LEFT, EYE_RIGHT, (1,), (61,), (291,)), points, strict=True):
        mesh[list(places), :2] = point
    return mesh


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_a_turned_scaled_shifted_template_comes_back_exactly(angle, scale):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mesh = face(TEMPLATE @ turn.T + (300, 200))
    matrix = ArcFaceTemplate(224).matrix(mesh)
    back = five_points(mesh) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, 2 * TEMPLATE, atol=1e-3)


def test_it_is_the_least_squares_similarity():
    points = TEMPLATE + np.random.default_rng(0).normal(0, 4, (5, 2))
    matrix = ArcFaceTemplate(112).matrix(face(points))
    # The same by solving the normal equations of x' = a x - b y + c, y' = b x + a y + d.
    seen = five_points(face(points))
    rows = np.vstack(
        [np.column_stack((seen[:, 0], -seen[:, 1], np.ones(5), np.zeros(5))),
         np.column_stack((seen[:, 1], seen[:, 0], np.zeros(5), np.ones(5)))]
    )  # fmt: skip
    a, b, c, d = np.linalg.lstsq(rows, TEMPLATE.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(matrix, [[a, -b, c], [b, a, d]], atol=1e-9)


def test_a_face_without_extent_is_refused():
    with pytest.raises(InputError, match="no scale"):
        ArcFaceTemplate().matrix(np.zeros((478, 3), np.float32))


def test_each_names_its_method():
    assert CANVAS.to_dict()["method"] == "five-point-box"
    assert ArcFaceTemplate().to_dict() == {"method": "arcface-template", "size": 224, "border": 128}
