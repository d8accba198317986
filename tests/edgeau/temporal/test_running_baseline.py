"""The neutral face is found among expressions, looks only back, and says how far to believe it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.errors import BundleError, InputError
from edgeau.temporal.running_baseline import RunningBaseline, RunningBaselines


@pytest.fixture(scope="module")
def model(make_landmark_model):
    return make_landmark_model()


def mouth_open(face: np.ndarray, by: float) -> np.ndarray:
    moved = face.copy()
    moved[[13, 14, 17, 152, 61, 291], 1] += by * (face[152, 1] - face[10, 1])
    return moved


def fed(model, face: np.ndarray, openings: list[float]) -> RunningBaseline:
    running, random = RunningBaseline(model), np.random.default_rng(0)
    for n, by in enumerate(openings):
        jitter = random.normal(0, 0.0005 * np.ptp(face[:, 1]), face.shape)
        running.add((mouth_open(face, by) + jitter).astype(np.float32), 0.5 * n)
    return running


def off(running: RunningBaseline, model, face: np.ndarray) -> float:
    assert running.baseline is not None
    return float(np.abs(running.baseline.shape - model.shape(face)).max())


def test_a_face_at_rest_is_found_and_believed_more_and_more(model, astronaut_landmarks) -> None:
    few, many = fed(model, astronaut_landmarks, [0] * 10), fed(model, astronaut_landmarks, [0] * 50)
    assert off(many, model, astronaut_landmarks) < 0.01
    assert 0 < few.confidence < many.confidence
    assert many.confidence == pytest.approx(0.6)


def test_expressions_for_two_fifths_of_the_time_hardly_move_it(model, astronaut_landmarks) -> None:
    random = np.random.default_rng(1)
    openings = [float(random.uniform(0.05, 0.2)) if n % 5 < 2 else 0.0 for n in range(60)]
    running = fed(model, astronaut_landmarks, openings)
    rest, moved = model.shape(astronaut_landmarks), model.shape(mouth_open(astronaut_landmarks, 0.12))
    assert off(running, model, astronaut_landmarks) < 0.1 * np.abs(moved - rest).max()


def test_it_follows_a_person_who_changes(model, astronaut_landmarks) -> None:
    before = fed(model, astronaut_landmarks, [0.0] * 20)
    followed = fed(model, astronaut_landmarks, [0.0] * 20 + [0.2] * 60)
    assert off(followed, model, astronaut_landmarks) > 10 * off(before, model, astronaut_landmarks)


def test_what_never_rests_is_believed_less(model, astronaut_landmarks) -> None:
    random = np.random.default_rng(1)
    sensitive = replace(model, weights=20 * model.weights)
    restless = fed(sensitive, astronaut_landmarks, [float(random.uniform(0, 4)) for _ in range(60)])
    assert restless.confidence < 0.42


def test_too_little_gives_none(model, astronaut_landmarks) -> None:
    running = fed(model, astronaut_landmarks, [0, 0])
    assert running.baseline is None
    assert running.confidence == 0
    assert not running.add(astronaut_landmarks, 0.6), "two a second are kept"


def test_it_is_saved_with_its_confidence(model, astronaut_landmarks, tmp_path: Path) -> None:
    running = fed(model, astronaut_landmarks, [0] * 10)
    assert running.baseline is not None
    running.baseline.save(tmp_path / "me.npz")
    again = NeutralBaseline.load(tmp_path / "me.npz")
    assert again.confidence == running.baseline.confidence
    assert np.array_equal(again.shape, running.baseline.shape)


def test_an_older_file_was_collected_at_rest_and_a_wrong_confidence_is_refused(
    model, astronaut_landmarks, tmp_path: Path
) -> None:
    shape = model.shape(astronaut_landmarks)
    old = {"shape": shape, "template_digest": np.array(model.template_digest), "frames": np.array(30)}
    np.savez(tmp_path / "old.npz", **old)
    assert NeutralBaseline.load(tmp_path / "old.npz").confidence == 1
    np.savez(tmp_path / "wrong.npz", **old, confidence=np.array(7.0))
    with pytest.raises(InputError, match="confidence is 7"):
        NeutralBaseline.load(tmp_path / "wrong.npz")


def test_what_is_little_believed_moves_the_measure_little(model, astronaut_landmarks) -> None:
    shape = model.shape(astronaut_landmarks) + 0.1
    for confidence, share in ((0.0, 0.0), (0.5, 0.35), (1.0, 0.7)):
        baseline = NeutralBaseline(shape, model.template_digest, 9, confidence)
        moved = baseline.neutral(model.neutral, model.template_digest) - model.neutral
        assert moved == pytest.approx(share * (shape - model.neutral), abs=1e-5)


def test_every_track_gets_its_own_in_the_pipeline(
    make_bundle, model, astronaut_landmarks, astronaut, monkeypatch
) -> None:
    from edgeau import Pipeline
    from edgeau.results import HeadPose

    with Pipeline.load(make_bundle(landmark_model=model)) as pipeline:
        given: dict[int | None, NeutralBaseline | None] = {}
        monkeypatch.setattr(pipeline, "use_baseline", lambda baseline, who: given.update({who: baseline}))
        result = pipeline.process(astronaut, time_s=0)
        baselines = RunningBaselines(pipeline)
        looking = replace(result.faces[0], track_id=7, pose=HeadPose(0, 0, 0))
        turned = replace(result.faces[0], track_id=8, pose=HeadPose(0, 40, 0))
        for n in range(20):
            seen = replace(result, time_s=n * 0.5, faces=(looking, turned))
            assert baselines.apply(seen) is seen
        assert set(given) == {7}, "a turned head teaches nothing"
        assert given[7] is baselines.of(7)
        baselines.freeze()
        before = baselines.of(7)
        baselines.apply(replace(result, time_s=10.5, faces=(looking,)))
        for time_s in range(11, 21):
            baselines.apply(replace(result, time_s=time_s, faces=(looking,)))
        assert baselines.of(7) is before, "a face that is there keeps what was frozen"
        baselines.apply(replace(result, time_s=99, faces=()))
        assert given[7] is None, "who is gone is forgotten"
        assert baselines.of(7) is None


def test_a_bundle_without_a_landmark_model_is_refused(bundle_path) -> None:
    from edgeau import Pipeline

    with Pipeline.load(bundle_path) as pipeline, pytest.raises(BundleError, match="has none"):
        RunningBaselines(pipeline)
