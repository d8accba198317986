"""Each side's answer is of that side, and a mirrored face gives mirrored answers."""

import numpy as np
import pytest

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.names import DEFAULT
from edgeau_training.landmark_model.command import main
from edgeau_training.landmark_model.template import learn_template


@pytest.fixture(scope="module")
def model(landmark_data, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "landmark.npz"
    assert main([str(landmark_data), "--out", str(file)]) == 0
    return LandmarkModel.load(file)


def test_sides_of_labels_that_have_them(model, make_faces):
    assert model.sides.labels == ("AU4", "AU12", "AU43")
    landmarks = make_faces(3)[0]
    assert model.estimate(landmarks).sides.shape == (3, 2, 3)
    assert model.estimate(landmarks[0]).sides.shape == (2, 3)


def test_the_side_that_shows_an_au_is_named(model, make_sided_faces):
    landmarks, _, _, sides = make_sided_faces(600, seed=9)
    answers = model.estimate(landmarks).sides
    for column, label in enumerate(("AU12", "AU43"), start=1):
        shown = sides[:, :, DEFAULT.index(label)]
        alone = (shown.max(1) > 0) & (shown.min(1) == 0)
        assert alone.sum() > 30
        assert (answers[alone, :, column].argmax(1) == shown[alone].argmax(1)).mean() > 0.98


def test_a_mirrored_face_gives_mirrored_answers(model, make_sided_faces, make_faces):
    landmarks = make_sided_faces(20, seed=8)[0][:, :468]
    mirror = learn_template(make_faces(300)[0]).mirror
    mirrored = (landmarks * np.float32([-1, 1, 1]))[:, mirror]
    answers, exchanged = model.estimate(landmarks).sides, model.estimate(mirrored).sides
    assert np.abs(answers - exchanged[:, ::-1]).max() < 0.02
