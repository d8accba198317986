"""The landmark model of the packaged default on real faces that it never saw: the sanity bars, on the committed weights."""

import numpy as np
import pytest

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.faces.landmarks import open_landmarker
from edgeau.sources import open_source


@pytest.fixture(scope="module")
def model():
    bundle = load_bundle(packaged_bundle_path())
    assert bundle.manifest.landmark_model is not None
    return LandmarkModel.load(bundle.path(bundle.manifest.landmark_model))


def rank_auc(scores, truth):
    above = scores[truth == 1][:, None] - scores[truth == 0][None, :]
    return ((above > 0) + 0.5 * (above == 0)).mean()


def test_real_faces_are_ranked_right(model, shared_data):
    data = np.load(shared_data / "real-landmarks.npz")
    logits = model.logits(data["landmarks"])
    scores = [
        rank_auc(logits[:, model.labels.index(f"AU{number}")], truth)
        for number, truth in zip(data["aus"], data["labels"].T, strict=True)
    ]
    assert np.mean(scores) >= 0.98


def test_tears_and_laughter_of_a_real_video(model, shared_data):
    pytest.importorskip("mediapipe")
    with open_source(shared_data / "real-face.mp4") as source, open_landmarker() as landmarker:
        estimates = [model.estimate(landmarker.detect(frame.image)[0]) for frame in source]
    intensities = np.stack([estimate.intensities for estimate in estimates])
    sad, laughing = intensities[:131].mean(axis=0), intensities[240:461].mean(axis=0)
    for label in ("AU4", "AU15", "AU43"):
        assert sad[model.labels.index(label)] > laughing[model.labels.index(label)], label
    for label in ("AU6", "AU12", "AU25"):
        assert laughing[model.labels.index(label)] > sad[model.labels.index(label)], label
