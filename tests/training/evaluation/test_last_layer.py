from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.evaluation.last_layer import LastLayer, LastLayerRule, fit_last_layer
from edgeau_training.evaluation.network_features import NetworkFeatures

FACES, WIDTH = 1500, 12
ZERO = LastLayer(np.zeros((2, WIDTH), np.float32), np.zeros(2, np.float32))


def faces(features, truth):
    count = len(features)
    return NetworkFeatures(
        features.astype(np.float32),
        np.zeros(truth.shape, np.float32),
        truth.astype(np.int8),
        np.arange(count),
        np.zeros(count, bool),
        np.zeros((count, 1, 3), np.float32),
    )


@pytest.fixture(scope="module")
def drawn():
    """Two AUs that features 0 and 1 tell, feature 0 less clearly; a mirror image changes feature 0 alone."""
    random = np.random.default_rng(0)
    truth = random.random((FACES, 2)) < 0.4
    features = random.normal(0, 1, (FACES, WIDTH))
    features[:, 0] += 2.0 * truth[:, 0]
    features[:, 1] += 1.5 * truth[:, 0]
    features[:, 2] += 3.0 * truth[:, 1]
    mirrored = features.copy()
    mirrored[:, 0] += random.normal(0, 2, FACES)
    return faces(features, truth), faces(mirrored, truth)


def test_the_layer_learns_what_the_features_tell(drawn):
    plain, _ = drawn
    layer, losses = fit_last_layer(ZERO, plain)
    right = ((layer.logits(plain.features) > 0) == (plain.truth == 1)).mean()
    assert right > 0.9
    assert set(losses) == set(LastLayerRule.pulls)


def test_a_strong_pull_leaves_the_layer_as_it_was(drawn):
    plain, _ = drawn
    layer, _ = fit_last_layer(ZERO, plain, rule=LastLayerRule(pulls=(1e4,)))
    assert np.abs(layer.weight).max() < 1e-3


def test_symmetry_looks_away_from_what_a_mirror_changes(drawn):
    plain, mirrored = drawn
    rules = [LastLayerRule(pulls=(0.003,), symmetry=weight) for weight in (0.0, 1.0)]
    free, symmetric = (fit_last_layer(ZERO, plain, mirrored, rule)[0] for rule in rules)
    free_change, symmetric_change = (
        np.abs(layer.logits(plain.features) - layer.logits(mirrored.features)).mean()
        for layer in (free, symmetric)
    )
    assert symmetric_change < 0.5 * free_change
    assert abs(symmetric.weight[0, 1]) > 0.1, "the other feature still tells"


def test_mirror_images_of_other_faces_are_refused(drawn):
    plain, mirrored = drawn
    with pytest.raises(InputError, match="not of the first faces"):
        fit_last_layer(ZERO, plain, mirrored.rows(np.arange(FACES)[::-1]))


def test_faces_that_nobody_labelled_whole_are_refused(drawn):
    plain, _ = drawn
    unknown = plain.truth.copy()
    unknown[0, 0] = -1
    with pytest.raises(InputError, match="without a label"):
        fit_last_layer(ZERO, replace(plain, truth=unknown))


def test_features_of_another_layer_are_refused(drawn):
    plain, _ = drawn
    with pytest.raises(InputError, match="12 numbers a face for 2 AUs, and the layer reads 7 for 2"):
        fit_last_layer(LastLayer(np.zeros((2, 7), np.float32), np.zeros(2, np.float32)), plain)


@pytest.mark.parametrize("person", [5, 7], ids=["all kept back", "nobody kept back"])
def test_faces_of_one_person_are_refused(drawn, person):
    plain, _ = drawn
    with pytest.raises(InputError, match="too few people"):
        fit_last_layer(ZERO, replace(plain, persons=np.full(FACES, person)))
