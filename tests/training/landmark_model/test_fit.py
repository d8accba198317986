import json

import numpy as np
import pytest

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.names import DEFAULT
from edgeau.errors import InputError
from edgeau_training.landmark_model.command import main
from edgeau_training.landmark_model.moments import Moments, fit_weights, gather
from edgeau_training.landmark_model.samples import Samples, read_samples
from edgeau_training.landmark_model.template import learn_template, mirrored_mean

SEEN = ("AU4", "AU12", "AU43")


def samples(made):
    landmarks, intensities, identities = made
    return Samples(landmarks[:, :468], intensities, identities)


@pytest.fixture(scope="module")
def model(landmark_data, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "landmark.npz"
    assert main([str(landmark_data), "--out", str(file)]) == 0
    return LandmarkModel.load(file)


def test_aus_that_move_points_are_found_in_new_people_and_others_are_not(model, make_faces):
    landmarks, intensities, _ = make_faces(400, seed=7)
    estimate = model.estimate(landmarks)
    for label in DEFAULT:
        column = DEFAULT.index(label)
        correlation = np.corrcoef(estimate.intensities[:, column], intensities[:, column])[0, 1]
        assert correlation > 0.5 if label in SEEN else correlation < 0.3, label


def test_decisions_at_the_fitted_thresholds_are_right(model, make_faces):
    landmarks, intensities, _ = make_faces(400, seed=7)
    decided = 1 / (1 + np.exp(-model.logits(landmarks))) >= model.thresholds
    for label in ("AU12", "AU43"):
        column = DEFAULT.index(label)
        assert (decided[:, column] == (intensities[:, column] > 0)).mean() > 0.9, label


def test_a_mirrored_face_gets_the_same_answer(model, make_faces):
    landmarks = make_faces(20, seed=8)[0][:, :468]
    mirror = learn_template(make_faces(300)[0]).mirror
    mirrored = (landmarks * np.float32([-1, 1, 1]))[:, mirror]
    assert np.abs(model.logits(landmarks) - model.logits(mirrored)).max() < 0.02


def test_the_file_says_what_it_was_trained_on(model):
    assert model.info["training"].startswith("Trained only on synthetic faces")
    assert model.info["train_faces"] == 980  # of 1000, as 20 were not found
    assert any("ICT-FaceKit" in line for line in model.info["licences"])


def test_the_same_data_gives_the_same_model(landmark_data, model, tmp_path):
    assert main([str(landmark_data), "--out", str(tmp_path / "again.npz")]) == 0
    again = LandmarkModel.load(tmp_path / "again.npz")
    assert np.array_equal(again.weights, model.weights)
    assert np.array_equal(again.thresholds, model.thresholds)


def test_expecting_more_variety_is_training_on_people_who_differ_more():
    random = np.random.default_rng(0)
    moved, people = (part @ part.T for part in random.normal(0, 1, (2, 12, 12)))
    target = random.normal(0, 1, (12, 2))
    seen = Moments(np.zeros(12), np.zeros(12), moved + people, people, target, np.zeros(2))
    wider = np.linalg.solve(moved + 5 * people, target)
    assert np.allclose(fit_weights(seen, ridge=1e-12, nuisance=4.0), wider, atol=1e-6)


def test_what_aus_do_not_explain_is_nuisance(make_faces):
    made = samples(make_faces(600))
    moments = gather(made.landmarks, made.intensities, learn_template(made.landmarks).symmetric)
    unexplained, every = (np.diag(part).reshape(468, 3) for part in (moments.nuisance, moments.covariance))
    assert unexplained[[159, 386], 1].sum() < 0.5 * every[[159, 386], 1].sum()  # eyelids: AU43 moves them
    assert unexplained[[4, 168]].sum() > 0.9 * every[[4, 168]].sum()  # nose: only people and noise do


def test_without_penalty_and_nuisance_the_weights_are_least_squares(make_faces):
    made = samples(make_faces(600))
    template = learn_template(made.landmarks)
    moments = gather(made.landmarks, made.intensities, template.symmetric)
    shapes = template.symmetric(made.landmarks).reshape(len(made.landmarks), -1).astype(np.float64)
    weights = fit_weights(moments, ridge=0.5, nuisance=0.0)
    scale = shapes.std(axis=0) + 2e-3
    standard = (shapes - shapes.mean(axis=0)) / scale
    targets = made.intensities - made.intensities.mean(axis=0)
    direct = np.linalg.solve(
        standard.T @ standard / len(shapes) + 0.5 * np.eye(shapes.shape[1]),
        standard.T @ targets / len(shapes),
    )
    assert np.allclose(weights, direct / scale[:, None], atol=1e-3 * np.abs(weights).max())


def test_weights_of_symmetric_halves_are_symmetric(make_faces):
    made = samples(make_faces(300))
    template = learn_template(made.landmarks)
    weights = fit_weights(
        gather(made.landmarks, made.intensities, template.symmetric), ridge=0.1, nuisance=4.0
    ).T.reshape(-1, 468, 3)
    assert np.allclose(mirrored_mean(weights, template.mirror), weights, atol=1e-6 * np.abs(weights).max())


def test_json_prints_one_document(landmark_data, tmp_path, capsys):
    assert main([str(landmark_data), "--out", str(tmp_path / "model.npz"), "--limit", "300", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["train_faces"] == 294
    assert 0 < document["validation"]["f1_mean"] < 1


@pytest.mark.parametrize(
    ("labels", "split", "message"),
    [
        (("AU99",), "train", "has no AU99"),
        (DEFAULT, "test", "no finished shard"),
        (DEFAULT, "train", "fitting needs 200"),
    ],
)
def test_data_that_cannot_be_fitted_on_is_refused(landmark_data, labels, split, message):
    limit = 100 if "fitting" in message else None
    with pytest.raises(InputError, match=message):
        read_samples(landmark_data, split, labels, limit)


def test_a_folder_without_a_data_set_ends_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "model.npz")]) == 2
    assert "edgeau-synth" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
