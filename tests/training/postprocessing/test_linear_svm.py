import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.postprocessing.linear_svm import LinearSVMs, OneClassWarning, fit_svms


@pytest.fixture(scope="module")
def data():
    """600 faces of 32 features; three AUs that a direction decides, the second one rare."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 32)) * rng.uniform(0.1, 50, (600, 1))  # of any length
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


def test_the_length_of_features_does_not_matter_and_unknown_labels_neither(data):
    features, occurrence = data
    mask = np.ones_like(occurrence)
    svms = fit_svms(features, occurrence, mask, ("AU1", "AU2", "AU4"))
    np.testing.assert_allclose(svms.scores(7 * features), svms.scores(features), atol=1e-5)
    mask[:100] = 0
    spoilt = occurrence.copy()
    spoilt[:100] = 1 - spoilt[:100]
    left = fit_svms(features[100:], occurrence[100:], mask[100:], ("AU1", "AU2", "AU4"))
    np.testing.assert_allclose(
        fit_svms(features, spoilt, mask, ("AU1", "AU2", "AU4")).weights, left.weights, atol=1e-5
    )


def test_it_is_kept_without_pickle_and_comes_back_the_same(data, tmp_path):
    features, occurrence = data
    svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
    svms.save(tmp_path / "svm.npz")
    back = LinearSVMs.load(tmp_path / "svm.npz")
    assert back.labels == ("AU1", "AU2", "AU4")
    assert (back.scores(features) == svms.scores(features)).all()
    assert [path.name for path in tmp_path.iterdir()] == ["svm.npz"]


def test_an_au_of_one_class_is_said_aloud(data):
    features, occurrence = data
    occurrence = occurrence.copy()
    occurrence[:, 0], occurrence[:, 2] = 0, 1
    with pytest.warns(OneClassWarning) as warned:
        svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
    assert [str(one.message)[:20] for one in warned] == ["AU1 is never present", "AU4 is always presen"]
    assert (svms.scores(features)[:, 0] < 0).all()
    assert (svms.scores(features)[:, 2] >= 0).all()


def test_other_files_and_features_are_refused(data, tmp_path):
    features, occurrence = data
    svms = fit_svms(features, occurrence, np.ones_like(occurrence), ("AU1", "AU2", "AU4"))
    with pytest.raises(InputError, match=r"take 32 features per face, got an array \(2, 2048\)"):
        svms.scores(np.zeros((2, 2048)))
    with pytest.raises(InputError, match=r"missing\.npz cannot be read"):
        LinearSVMs.load(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("text")
    with pytest.raises(InputError, match=r"text\.npz cannot be read"):
        LinearSVMs.load(tmp_path / "text.npz")
    np.savez(
        tmp_path / "torn.npz", labels=np.array(["AU1"]), weights=svms.weights, intercepts=svms.intercepts
    )
    with pytest.raises(InputError, match="do not fit 1 labels"):
        LinearSVMs.load(tmp_path / "torn.npz")
