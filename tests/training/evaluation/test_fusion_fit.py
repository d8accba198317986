import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.evaluation.fusion_fit import FusionRule, fit_fusion, fused_predictions
from edgeau_training.evaluation.metrics import measure
from edgeau_training.evaluation.predictions import Predictions

LABELS = ("AU1", "AU4", "AU12")


def pair(faces=3000, seed=0, skills=((1.5, 1.5), (3.0, 0.0), (0.0, 3.0)), scale=(1.0, 1.0)):
    """Network and landmark predictions; each AU's skill is how far its logits stand apart, in deviations."""
    random = np.random.default_rng(seed)
    truth = (random.random((faces, 3)) < 0.3).astype(np.int8)
    both = []
    for model in range(2):
        skill = np.array([pair[model] for pair in skills])
        logits = scale[model] * (random.normal(0, 1, truth.shape) + skill * truth)
        both.append(Predictions(LABELS, logits.astype(np.float32), truth, np.full(3, 0.5)))
    return both


def test_no_au_is_left_to_the_network_alone_and_two_of_equal_skill_are_fused():
    fit = fit_fusion(*pair())
    assert fit.choice == {"AU1": "fused", "AU4": "fused", "AU12": "landmark"}
    assert fit.share["AU4"] == pytest.approx(0.7)
    assert fit.fusion.landmark["AU4"] > 0
    assert fit.fusion.network["AU12"] == 0
    assert fit.share["AU1"] == pytest.approx(0.5, abs=0.11)


def test_the_fused_model_is_better_than_either_on_new_faces():
    fit = fit_fusion(*pair())
    network, landmark = pair(seed=1)
    fused = measure(fused_predictions(network, landmark, fit.fusion, fit.thresholds))
    assert fused.auc[0] > max(measure(network).auc[0], measure(landmark).auc[0]) + 0.02
    assert fused.auc[1] > measure(network).auc[1] - 0.03
    assert fused.auc[2] == pytest.approx(measure(landmark).auc[2], abs=1e-6)


def test_fused_probabilities_are_calibrated_whatever_the_scale_of_the_logits():
    fit = fit_fusion(*pair(scale=(20.0, 0.05)))
    network, landmark = pair(seed=1, scale=(20.0, 0.05))
    fused = fused_predictions(network, landmark, fit.fusion, fit.thresholds)
    for column in range(3):
        high = fused.probabilities[:, column] > 0.7
        expected = fused.probabilities[high, column].mean()
        assert fused.truth[high, column].mean() == pytest.approx(expected, abs=0.06)


def test_validation_cannot_give_the_network_more_than_its_bound():
    rule = FusionRule(shares=(0.3, 0.6), margin=0.5)  # no model alone
    fit = fit_fusion(*pair(skills=((4.0, 0.2),) * 3), rule)
    assert set(fit.choice.values()) == {"fused"}
    assert fit.share == pytest.approx(dict.fromkeys(LABELS, 0.6))


def test_a_small_advantage_does_not_end_the_fusion():
    fit = fit_fusion(*pair(skills=((2.0, 1.7),) * 3), FusionRule(margin=0.02))
    assert set(fit.choice.values()) == {"fused"}


def test_weights_are_never_negative_even_for_a_model_that_points_the_wrong_way():
    fit = fit_fusion(*pair(skills=((-2.0, 2.0),) * 3))
    assert min(*fit.fusion.network.values(), *fit.fusion.landmark.values()) >= 0


def test_other_faces_are_refused():
    network, landmark = pair()[0], pair(seed=5)[1]
    with pytest.raises(InputError, match="same faces"):
        fit_fusion(network, landmark)


def test_too_few_positives_are_refused_by_name():
    network, landmark = pair(faces=40)
    network.truth[:, 1] = landmark.truth[:, 1] = 0
    with pytest.raises(InputError, match="AU4 has 0 positives"):
        fit_fusion(network, landmark)


def test_a_network_that_knows_nothing_gets_next_to_nothing():
    fit = fit_fusion(*pair(skills=((0.0, 2.0),) * 3))
    assert max(fit.share.values()) <= 0.1
