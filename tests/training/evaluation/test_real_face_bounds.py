from __future__ import annotations

import numpy as np
import pytest

from edgeau.bundle.manifest import Fusion
from edgeau.metrics import log_odds
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.real_face_bounds import (
    RealFaceRule,
    bounded_by_real_faces,
    shifted_fusion,
    threshold_shifts,
)


def table(present, absent, threshold=0.5, label="AU6"):
    logits = np.array([*present, *absent], np.float32)[:, None]
    truth = np.array([1] * len(present) + [0] * len(absent), np.int8)[:, None]
    return Predictions((label,), logits, truth, np.array([threshold]))


SHARP = table([0] * 10, [-1] * 10)  # renders on which F1 falls at once where the threshold rises


class TestShifts:
    def test_a_threshold_rises_until_resting_faces_are_silent(self):
        real = table([3] * 10, [0.5] * 5 + [-2] * 15)
        assert threshold_shifts(real, SHARP) == {"AU6": pytest.approx(0.5 + RealFaceRule.slack, abs=0.011)}

    def test_a_face_just_below_a_threshold_counts_as_a_false_alarm(self):
        """Another processor calls it."""
        real = table([3] * 10, [-0.05] * 5 + [-2] * 15)
        assert threshold_shifts(real, SHARP) == {"AU6": pytest.approx(RealFaceRule.slack - 0.05, abs=0.011)}

    def test_recall_is_kept(self):
        real = table([0.3] * 5 + [3] * 5, [0.5] * 5 + [-2] * 15)
        assert threshold_shifts(real, SHARP)["AU6"] == pytest.approx(0.3)

    def test_no_shift_goes_beyond_the_limit(self):
        real = table([9] * 10, [8] * 10)
        assert threshold_shifts(real, SHARP) == {"AU6": RealFaceRule().largest_rise}

    def test_the_limit_begins_where_renders_begin_to_tell(self):
        real, flat = table([9] * 10, [8] * 10), table([1.5] * 10, [-1] * 10)
        assert threshold_shifts(real, flat) == {"AU6": RealFaceRule().largest_rise + 1.5}

    def test_a_threshold_falls_where_faces_that_show_the_au_are_missed(self):
        real = table([-0.3] * 5 + [3] * 5, [-2] * 20)
        assert threshold_shifts(real, SHARP)["AU6"] == pytest.approx(-0.3, abs=0.011)

    def test_it_does_not_fall_into_faces_that_do_not_show_it(self):
        real = table([-0.4] * 5 + [3] * 5, [-0.2] * 5 + [-2] * 15)
        assert threshold_shifts(real, SHARP)["AU6"] == pytest.approx(-0.2 + RealFaceRule.slack, abs=0.011)

    def test_a_silent_threshold_stays(self):
        assert threshold_shifts(table([3] * 10, [-3] * 20), SHARP) == {"AU6": 0.0}

    def test_a_fall_is_limited_from_where_renders_begin_to_tell(self):
        real = table([-9] * 10, [-12] * 20)
        limit = RealFaceRule().largest_fall
        assert threshold_shifts(real, SHARP) == {"AU6": pytest.approx(-limit)}
        # Renders: F1 is the same from the threshold down to -1.5 only, since no face lies between.
        flat = table([1] * 200 + [-1.5], [-3] * 10)
        assert threshold_shifts(real, flat) == {"AU6": pytest.approx(-limit - 1.5)}

    @pytest.mark.parametrize(("present", "absent"), [(3, 20), (10, 9)])
    def test_few_faces_say_nothing_and_the_highest_threshold_is_taken_that_renders_do_not_tell_apart(
        self, present, absent
    ):
        assert threshold_shifts(table([3] * present, [2] * absent), SHARP) == {"AU6": 0.0}
        flat = table([1.5] * 10, [-1] * 10)
        assert threshold_shifts(table([3] * present, [2] * absent), flat) == {"AU6": 1.5}

    def test_an_au_without_real_faces_gets_the_highest_threshold_that_renders_do_not_tell_apart(self):
        renders = Predictions(
            ("AU6", "AU9"),
            np.array([[1.5, 0.7]] * 10 + [[-1, -1]] * 10, np.float32),
            np.array([[1, 1]] * 10 + [[0, 0]] * 10, np.int8),
            np.array([0.5, 0.5]),
        )
        found = threshold_shifts(table([3] * 10, [-3] * 20), renders)
        assert found == {"AU6": 0.0, "AU9": pytest.approx(0.7)}

    def test_a_fusion_that_is_shifted_decides_as_a_moved_threshold_would(self):
        one = dict.fromkeys(("AU1", "AU6"), 1.0)
        fusion = Fusion(network=one, landmark=one, bias=dict.fromkeys(one, 0.5))
        assert shifted_fusion(fusion, {"AU1": 0.7, "AU6": -0.2}).bias == pytest.approx(
            {"AU1": -0.2, "AU6": 0.7}
        )


def test_real_faces_bound_the_share_of_a_network_that_misreads_them():
    random = np.random.default_rng(0)
    truth = (random.random((400, 1)) < 0.4).astype(np.int8)
    exact = (truth * 4 - 2 + random.normal(0, 0.8, truth.shape)).astype(np.float32)
    rough = (truth * 4 - 2 + random.normal(0, 2.0, truth.shape)).astype(np.float32)
    half = np.array([0.5])

    def on(logits):
        return Predictions(("AU6",), logits, truth, half)

    misread = random.normal(0, 2, truth.shape).astype(np.float32)
    trusted = bounded_by_real_faces(on(exact), on(rough), on(exact), on(rough))
    bounded = bounded_by_real_faces(on(exact), on(rough), on(misread), on(rough))
    assert trusted.bound == 0.7
    assert bounded.bound == 0.4
    assert bounded.chosen.fit.share["AU6"] <= 0.4
    assert trusted.chosen.fit.share["AU6"] > 0.4


def test_of_equal_bounds_the_largest_is_taken_that_finds_enough_of_what_is_shown():
    """Ranks alone are the same at every bound; with much of the network a constant on its logits hides every second face."""
    random = np.random.default_rng(1)
    truth = (random.random((400, 1)) < 0.4).astype(np.int8)
    clear = (truth * 4 - 2 + random.normal(0, 0.8, truth.shape)).astype(np.float32)
    half = np.array([0.5])

    def on(logits):
        return Predictions(("AU6",), logits, truth, half)

    lower = on(clear - 2)  # renders do not have this constant
    asked = bounded_by_real_faces(on(clear), on(clear), lower, on(clear))
    unasked = bounded_by_real_faces(on(clear), on(clear), lower, on(clear), rule=RealFaceRule(mean_recall=0))
    aucs = [one.auc for one in asked.tried.values()]
    assert max(aucs) - min(aucs) < RealFaceRule.auc_margin
    assert (asked.bound, unasked.bound) == (0.4, 0.7)


def test_of_equal_bounds_the_largest_is_taken_at_which_faces_at_rest_are_silent():
    """On real faces the network calls three of the faces at rest by far; no threshold within its limits silences them."""
    random = np.random.default_rng(2)
    truth = (random.random((400, 1)) < 0.4).astype(np.int8)
    clear = (truth * 6 - 3 + random.normal(0, 0.5, truth.shape)).astype(np.float32)
    half = np.array([0.5])
    loud = clear.copy()
    rest = np.flatnonzero(truth[:, 0] == 0)[:3]
    loud[rest] = 9.0

    def on(logits, at_rest=None):
        return Predictions(("AU6",), logits, truth, half, at_rest=at_rest)

    everywhere = np.zeros(len(truth), bool)
    everywhere[rest] = True
    rule = RealFaceRule(auc_margin=1.0, mean_recall=0.0)
    unknown = bounded_by_real_faces(on(clear), on(clear), on(loud), on(clear), rule=rule)
    known = bounded_by_real_faces(
        on(clear), on(clear), on(loud, everywhere), on(clear, everywhere), rule=rule
    )
    assert unknown.bound == 0.7
    assert known.bound < 0.7


def test_of_equal_bounds_the_largest_is_taken_at_which_no_au_is_called_on_many_faces_that_do_not_show_it():
    """On real faces the network calls every tenth face by far."""
    random = np.random.default_rng(3)
    truth = (random.random((400, 1)) < 0.4).astype(np.int8)
    clear = (truth * 6 - 3 + random.normal(0, 0.5, truth.shape)).astype(np.float32)
    loud = clear.copy()
    loud[np.flatnonzero(truth[:, 0] == 0)[::10]] = 9.0

    def on(logits):
        return Predictions(("AU6",), logits, truth, np.array([0.5]))

    allowed = RealFaceRule(auc_margin=1.0, mean_recall=0.0, false_positives_of_an_au=1.0)
    refused = RealFaceRule(auc_margin=1.0, mean_recall=0.0)
    assert bounded_by_real_faces(on(clear), on(clear), on(loud), on(clear), rule=allowed).bound == 0.7
    assert bounded_by_real_faces(on(clear), on(clear), on(loud), on(clear), rule=refused).bound < 0.7


def test_faces_stay_silent_in_files_that_answer_a_little_differently():
    """Real faces that do not show the AU lie .2 below the threshold of the fusion; another file's answers differ by more."""
    random = np.random.default_rng(4)
    truth = (random.random((400, 1)) < 0.4).astype(np.int8)
    clear = (truth * 6 - 3 + random.normal(0, 0.5, truth.shape)).astype(np.float32)
    other = clear + random.choice([-0.5, 0.5], truth.shape).astype(np.float32)
    rule = RealFaceRule(bounds=(0.5,), mean_recall=0.0)

    def on(logits):
        return Predictions(("AU6",), logits, truth, np.array([0.5]))

    def found(real, *others):
        return bounded_by_real_faces(
            on(clear), on(clear), on(real), on(real), rule=rule, others=others
        ).chosen

    fit = found(clear).fit
    scale = fit.fusion.network["AU6"] + fit.fusion.landmark["AU6"]
    near = clear.copy()
    near[np.flatnonzero(truth[:, 0] == 0)[::10]] = (
        log_odds(float(fit.thresholds[0])) - 0.2 - fit.fusion.bias["AU6"]
    ) / scale
    alone, with_other = found(near), found(near, on(other))
    assert (alone.slack, alone.shifts) == (RealFaceRule.slack, {"AU6": 0.0})
    assert with_other.slack == pytest.approx(0.5 * fit.fusion.network["AU6"], rel=0.01)
    assert with_other.shifts["AU6"] == pytest.approx(with_other.slack - 0.2, abs=0.011)
