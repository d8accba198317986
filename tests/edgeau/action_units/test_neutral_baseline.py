from dataclasses import replace

import numpy as np
import pytest

from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.action_units.neutral_collector import NeutralCollector
from edgeau.bundle.network_identity import NetworkIdentity
from edgeau.errors import InputError, UsageError


@pytest.fixture
def model(make_landmark_model):
    return make_landmark_model(("AU4", "AU12"))


def person(landmarks, seed=0):
    """Somebody else's resting face."""
    return landmarks + np.random.default_rng(seed).normal(0, 15, landmarks.shape).astype(np.float32)


def collect(model, face, frames=31, jitter=0.05, rate=30):
    collector = NeutralCollector(model)
    random = np.random.default_rng(1)
    for number in range(frames):
        collector.add(face + random.normal(0, jitter, face.shape).astype(np.float32), number / rate)
    return collector


def test_a_person_at_rest_reads_as_nearly_neutral(model, astronaut_landmarks):
    face = person(astronaut_landmarks)
    neutral = model.bias * model.slope + model.shift
    before = model.logits(face) - neutral
    after = model.logits(face, collect(model, face).baseline()) - neutral
    assert np.abs(before).max() > 1
    assert np.allclose(after, 0.3 * before, atol=0.1)  # of one second, seven tenths are believed


def test_what_moves_after_it_still_counts(model, astronaut_landmarks):
    face = person(astronaut_landmarks)
    baseline = collect(model, face).baseline()
    smile = face.copy()
    smile[[61, 291]] += (0, -40, 0)
    moved = model.logits(smile, baseline) - model.logits(face, baseline)
    assert np.allclose(moved, model.logits(smile) - model.logits(face), atol=1e-3)
    assert np.abs(moved).max() > 0.1


def test_a_blink_within_the_second_does_not_move_it(model, astronaut_landmarks):
    collector = NeutralCollector(model)
    for number in range(31):
        blink = 30.0 if 10 <= number < 14 else 0.0
        collector.add(astronaut_landmarks + np.float32(blink) * (np.arange(478) == 159)[:, None], number / 30)
    assert np.abs(collector.baseline().shape - model.shape(astronaut_landmarks)).max() < 1e-6


def test_progress_runs_to_one_and_needs_time_and_frames(model, astronaut_landmarks):
    collector = NeutralCollector(model)
    assert collector.progress == 0
    collector.add(astronaut_landmarks, 5.0)
    collector.add(astronaut_landmarks, 5.5)
    assert collector.progress == pytest.approx(0.4)  # two frames of five
    with pytest.raises(InputError, match="2 frames were collected"):
        collector.baseline()
    for time_s in (5.6, 5.7, 6.0):
        collector.add(astronaut_landmarks, time_s)
    assert collector.done


def test_a_face_that_moves_is_refused_and_the_au_named(model, astronaut_landmarks):
    collector = NeutralCollector(model)
    for number in range(31):
        collector.add(astronaut_landmarks if number < 15 else person(astronaut_landmarks, 3), number / 30)
    with pytest.raises(InputError, match=r"did not keep still \(AU"):
        collector.baseline()


def test_time_that_goes_back_is_refused(model, astronaut_landmarks):
    collector = collect(model, astronaut_landmarks, frames=3)
    with pytest.raises(InputError, match="collect from the start"):
        collector.add(astronaut_landmarks, 0.0)


def test_a_saved_baseline_is_read_back(model, astronaut_landmarks, tmp_path):
    baseline = collect(model, astronaut_landmarks).baseline()
    baseline.save(tmp_path / "anna.npz")
    loaded = NeutralBaseline.load(tmp_path / "anna.npz")
    assert np.array_equal(loaded.shape, baseline.shape)
    assert (loaded.template_digest, loaded.frames) == (baseline.template_digest, 31)
    assert np.array_equal(
        model.logits(astronaut_landmarks, loaded), model.logits(astronaut_landmarks, baseline)
    )


def test_a_baseline_of_another_template_is_refused(model, astronaut_landmarks):
    baseline = collect(model, astronaut_landmarks).baseline()
    other = replace(model, stability=model.stability * np.linspace(1, 2, 468, dtype=np.float32))
    with pytest.raises(InputError, match="another landmark model"):
        other.logits(astronaut_landmarks, baseline)


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_a_file_that_is_no_baseline_is_refused(tmp_path, content):
    file = tmp_path / "baseline.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="not a neutral baseline"):
        NeutralBaseline.load(file)


def test_a_baseline_of_the_wrong_shape_is_refused(tmp_path):
    NeutralBaseline(np.zeros((10, 3), np.float32), "x", 5).save(tmp_path / "small.npz")
    with pytest.raises(InputError, match=r"\(10, 3\)"):
        NeutralBaseline.load(tmp_path / "small.npz")


NETWORK = NetworkIdentity("mrpnet", "0123456789abcdef")


def with_logits(model, face, logits, network=NETWORK):
    collector = NeutralCollector(model, network=network)
    for number in range(31):
        # A blink and a frame that the network skipped are in it.
        own = None if number == 7 else np.float32(logits) + (9 if number == 9 else 0)
        collector.add(face, number / 30, own)
    return collector.baseline()


def test_network_logits_at_rest_are_their_median_and_outlive_a_file(model, astronaut_landmarks, tmp_path):
    baseline = with_logits(model, astronaut_landmarks, (2.0, -3.0))
    assert np.array_equal(baseline.network_logits, np.float32((2, -3)))
    baseline.save(tmp_path / "me.npz")
    again = NeutralBaseline.load(tmp_path / "me.npz")
    assert np.array_equal(again.network_logits, baseline.network_logits)
    assert again.network == NETWORK


def test_seven_tenths_of_what_lies_above_other_people_are_believed(model, astronaut_landmarks):
    baseline = with_logits(model, astronaut_landmarks, (2.0, -3.0))
    average = np.float32((1.0, -3.5))
    np.testing.assert_allclose(baseline.excess(average, NETWORK), (0.7, 0.35), rtol=1e-6)
    doubted = replace(baseline, confidence=0.5)
    np.testing.assert_allclose(doubted.excess(average, NETWORK), (0.35, 0.175), rtol=1e-6)


def test_without_network_logits_the_network_is_not_moved(model, astronaut_landmarks):
    average = np.float32((1.0, -3.5))
    assert not collect(model, astronaut_landmarks).baseline().excess(average, NETWORK).any()
    nameless = with_logits(model, astronaut_landmarks, (2.0, -3.0), network=None)
    assert nameless.network_logits is None


@pytest.mark.parametrize(
    ("network", "count", "said"),
    [
        (replace(NETWORK, name="mrpnet-slim"), 2, "with the network mrpnet, and mrpnet-slim runs"),
        (replace(NETWORK, digest="another"), 2, "with other weights of the network mrpnet"),
        (NETWORK, 3, "of 2 action units, and mrpnet has 3"),
    ],
)
def test_a_baseline_of_another_network_is_refused(model, astronaut_landmarks, network, count, said):
    baseline = with_logits(model, astronaut_landmarks, (2.0, -3.0))
    with pytest.raises(InputError, match=f"{said}.*collect it again"):
        baseline.excess(np.zeros(count, np.float32), network)


def test_a_file_that_does_not_say_which_weights_its_network_had_is_refused(model, tmp_path):
    shape = np.zeros((468, 3), np.float32)
    np.savez(
        tmp_path / "old.npz",
        shape=shape,
        template_digest="x",
        frames=9,
        network_logits=np.zeros(2),
        network="mrpnet",
    )
    with pytest.raises(InputError, match=r"old.npz does not say which weights .* collect it again"):
        NeutralBaseline.load(tmp_path / "old.npz")


def test_the_name_of_a_network_does_not_tell_its_weights(model):
    with pytest.raises(UsageError, match=r"must be bundle\.network_identity.*got 'mrpnet'"):
        NeutralCollector(model, network="mrpnet")
    with pytest.raises(UsageError, match="or neither"):
        NeutralBaseline(model.template, model.template_digest, 9, network_logits=np.zeros(2, np.float32))


def test_a_file_whose_network_logits_are_no_numbers_is_refused(model, astronaut_landmarks, tmp_path):
    baseline = with_logits(model, astronaut_landmarks, (2.0, -3.0))
    replace(baseline, network_logits=np.float32((np.nan, 1))).save(tmp_path / "odd.npz")
    with pytest.raises(InputError, match="network logits are not a list of numbers"):
        NeutralBaseline.load(tmp_path / "odd.npz")


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_that_never_passes_is_refused(model, seconds):
    with pytest.raises(UsageError, match="seconds must be above 0"):
        NeutralCollector(model, seconds)


def test_a_frame_without_a_time_is_refused(model, astronaut_landmarks):
    with pytest.raises(InputError, match="finite number of seconds, got nan"):
        NeutralCollector(model).add(astronaut_landmarks, float("nan"))
