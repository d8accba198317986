import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate, five_points


@pytest.mark.parametrize(
    "template", [ArcFaceTemplate(112), ArcFaceTemplate(224, border=0), Alignment(170, 200)]
)
def test_a_template_is_read_back_as_what_it_was(template):
    again = Alignment.from_dict(template.to_dict())
    assert (type(again), again) == (type(template), template)


def test_its_crop_has_no_larger_canvas():
    assert ArcFaceTemplate(112).canvas == 112
    assert ArcFaceTemplate(112).to_dict() == {"method": "arcface-template", "size": 112, "border": 128}


def test_the_face_stands_where_recognition_expects_it(astronaut, astronaut_landmarks):
    matrix = ArcFaceTemplate(112).matrix(astronaut_landmarks)
    found = five_points(astronaut_landmarks) @ matrix[:, :2].T + matrix[:, 2]
    expected = [(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)]
    np.testing.assert_allclose(found, expected, atol=7)
    assert ArcFaceTemplate(112).crop(astronaut, astronaut_landmarks).shape == (112, 112, 3)


def test_points_without_a_scale_are_refused():
    with pytest.raises(InputError, match="all points coincide"):
        ArcFaceTemplate().matrix(np.zeros((478, 3), np.float32))
