import numpy as np

from edgeau_training.evaluation.metrics import intervals, measure
from edgeau_training.evaluation.predictions import Predictions


def make(faces=400, groups=None, seed=0):
    generator = np.random.default_rng(seed)
    truth = (generator.random((faces, 2)) < 0.3).astype(np.int8)
    logits = np.round(generator.normal(0, 1.5, truth.shape) + 1.5 * truth, 1).astype(np.float32)
    truth[: faces // 10, 0] = -1
    return Predictions(("AU1", "AU4"), logits, truth, np.full(2, 0.5), groups)


def test_intervals_hold_the_estimate_and_are_the_same_for_the_same_seed():
    made, measured = make(), measure(make())
    found = intervals(made, resamples=200)
    for name in ("f1", "auc", "accuracy"):
        ends = getattr(found, name)
        assert (ends[:, 0] < getattr(measured, name)).all()
        assert (getattr(measured, name) < ends[:, 1]).all()
    assert np.array_equal(found.f1, intervals(made, resamples=200).f1)


def test_faces_of_few_persons_give_wider_intervals():
    single = make()
    copies = {"logits": np.tile(single.logits, (10, 1)), "truth": np.tile(single.truth, (10, 1))}
    persons = np.tile(np.arange(400), 10)
    by_face = intervals(Predictions(single.labels, thresholds=single.thresholds, **copies), 200)
    by_person = intervals(
        Predictions(single.labels, thresholds=single.thresholds, groups=persons, **copies), 200
    )
    width = lambda ends: ends[:, 1] - ends[:, 0]  # noqa: E731
    assert (width(by_person.f1) > 2 * width(by_face.f1)).all()
    assert by_person.unit == "persons"


def test_an_au_with_one_class_has_no_auc_interval():
    made = make()
    made.truth[:, 1] = 0
    found = intervals(made, resamples=20)
    assert np.isnan(found.auc[1]).all()
    assert np.isnan(found.f1[1]).all()
    assert np.isfinite(found.auc_mean).all()
