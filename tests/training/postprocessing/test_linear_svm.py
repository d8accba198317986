import numpy as np
import pytest
import torch

from edgeau.errors import InputError
from edgeau_training.networks import build_network
from edgeau_training.postprocessing.linear_svm import OneClassWarning, fit_svms
from edgeau_training.trainer.svm_decision import with_classifier


@pytest.fixture(scope="module")
def data():
    """600 faces of 32 features; three AUs that a direction decides, the second one rare."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 32)) * rng.uniform(20, 30, (600, 1))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    occurrence = (unit @ rng.normal(size=(32, 3)) > (0, 1.2, 0)).astype(np.int8)
    return features, occurrence


def test_it_learns_what_a_direction_decides_even_a_rare_au(data):
    features, occurrence = data
    svms = fit_svms(features[:400], occurrence[:400], np.ones((400, 3), np.int8), ("AU1", "AU2", "AU4"))
    decided = svms.scores(features[400:]) >= 0
    assert ((decided == occurrence[400:]).mean(axis=0) > 0.9).all()
    rare = occurrence[400:, 1] == 1
    assert 5 < rare.sum() < 30
    assert decided[rare, 1].mean() > 0.8  # balanced classes


def test_the_unit_of_features_does_not_matter_and_unknown_labels_neither(data):
    features, occurrence = data
    mask = np.ones_like(occurrence)
    svms = fit_svms(features, occurrence, mask, ("AU1", "AU2", "AU4"))
    in_other_units = fit_svms(7 * features, occurrence, mask, ("AU1", "AU2", "AU4"))
    np.testing.assert_allclose(in_other_units.scores(7 * features), svms.scores(features), atol=1e-3)
    mask[:100] = 0
    spoilt = occurrence.copy()
    spoilt[:100] = 1 - spoilt[:100]
    left = fit_svms(features[100:], occurrence[100:], mask[100:], ("AU1", "AU2", "AU4"))
    np.testing.assert_allclose(
        fit_svms(features, spoilt, mask, ("AU1", "AU2", "AU4")).weights, left.weights, atol=1e-5
    )


def test_an_au_of_one_class_is_said_aloud(data):
    features, occurrence = data
    occurrence = occurrence.copy()
    occurrence[:, 0], occurrence[:, 2] = 0, 1
    with pytest.warns(OneClassWarning) as warned:
        svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
    assert [str(one.message)[:20] for one in warned] == ["AU1 is never present", "AU4 is always presen"]
    assert (svms.scores(features)[:, 0] < 0).all()
    assert (svms.scores(features)[:, 2] >= 0).all()


def test_features_of_another_network_are_refused(data):
    features, occurrence = data
    svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
    with pytest.raises(InputError, match=r"take 32 features per face, got an array \(2, 2048\)"):
        svms.scores(np.zeros((2, 2048)))


def test_a_network_with_svms_in_the_classifiers_place_gives_their_distances():
    torch.manual_seed(0)
    network = build_network("drml", ("AU1", "AU2", "AU4"), mode="modern", size=74).eval()
    images = torch.randn(24, 3, 74, 74)
    with torch.no_grad():
        features = network.features(images).numpy()
        occurrence = np.stack([np.arange(24) // step % 2 for step in (1, 2, 4)], axis=1).astype(np.int8)
        svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
        before = network(images)
        np.testing.assert_allclose(with_classifier(network, svms)(images), svms.scores(features), atol=1e-4)
        assert torch.equal(network(images), before)  # the network itself keeps its classifier
