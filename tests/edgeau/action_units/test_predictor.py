"""Network and landmark model together, as a bundle says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.action_units.landmark_sides import LandmarkSides
from edgeau.action_units.names import DEFAULT
from edgeau.action_units.network import AUDetector
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle.manifest import Fusion
from edgeau.errors import BundleError, InputError
from edgeau.metrics import logit, sigmoid
from edgeau.results import Face


def fusion(network: float = 0.5, landmark: float = 0.5, bias: float = 0.0) -> Fusion:
    return Fusion(*(dict.fromkeys(DEFAULT, value) for value in (network, landmark, bias)))


def only_face(path, astronaut: np.ndarray, **options) -> Face:
    with Pipeline.load(path, **options) as pipeline:
        (face,) = pipeline.process(astronaut).faces
    return face


def probabilities(face: Face) -> list[float]:
    return [au.probability for au in face.aus.values()]


@pytest.fixture
def network_logits(bundle_path, crops: np.ndarray) -> np.ndarray:
    with AUDetector.load(bundle_path) as detector:
        return detector.detect(crops[:1]).logits[0]


def test_logits_are_fused_with_the_bundles_weights(
    make_bundle, make_landmark_model, astronaut, astronaut_landmarks, network_logits
) -> None:
    model = make_landmark_model()
    face = only_face(make_bundle("fused", landmark_model=model, fusion=fusion(0.75, 0.5, 0.125)), astronaut)
    expected = sigmoid(0.75 * network_logits + 0.5 * model.logits(astronaut_landmarks) + 0.125)
    np.testing.assert_allclose(probabilities(face), expected, atol=1e-3)
    intensities = [au.intensity for au in face.aus.values()]
    np.testing.assert_allclose(intensities, model.estimate(astronaut_landmarks).intensities, atol=1e-3)


def test_without_fusion_the_landmark_model_gives_intensities_only(
    make_bundle, make_landmark_model, astronaut, network_logits
) -> None:
    face = only_face(make_bundle("unfused", landmark_model=make_landmark_model()), astronaut)
    np.testing.assert_allclose(probabilities(face), sigmoid(network_logits), atol=1e-5)
    assert all(au.intensity is not None for au in face.aus.values())


def test_a_landmark_model_of_other_labels_in_another_order_is_matched_by_name(
    make_bundle, make_landmark_model, astronaut, astronaut_landmarks
) -> None:
    model = make_landmark_model(("AU27", "AU12", "AU1"))
    weights = fusion(1.0, 0.0)
    weights.network["AU12"], weights.landmark["AU12"] = 0.0, 1.0
    face = only_face(make_bundle("some", landmark_model=model, fusion=weights), astronaut)
    assert face.aus["AU12"].probability == pytest.approx(
        sigmoid(model.logits(astronaut_landmarks))[1], abs=1e-3
    )
    assert face.aus["AU1"].intensity == pytest.approx(
        model.estimate(astronaut_landmarks).intensities[2], abs=1e-3
    )
    assert face.aus["AU4"].intensity is None
    assert set(face.aus) == set(DEFAULT)


def test_a_landmark_model_that_lacks_what_fusion_needs_is_refused(make_bundle, make_landmark_model) -> None:
    path = make_bundle("lacking", landmark_model=make_landmark_model(DEFAULT[1:]), fusion=fusion())
    with pytest.raises(BundleError, match="does not know AU1, which its fusion needs"):
        Pipeline.load(path)


def test_fused_probabilities_are_decided_at_fused_thresholds(
    make_bundle, make_landmark_model, astronaut
) -> None:
    model = make_landmark_model()
    plain = only_face(make_bundle("plain", landmark_model=model, fusion=fusion()), astronaut)
    assert {au.active for au in plain.aus.values()} == {True, False}
    never = dict.fromkeys(DEFAULT, 1.0)
    path = make_bundle("strict", landmark_model=model, fusion=fusion(), fused_thresholds=never)
    assert not any(au.active for au in only_face(path, astronaut).aus.values())


def test_a_neutral_baseline_counts_for_whom_it_is(
    make_bundle, make_landmark_model, astronaut, astronaut_landmarks
) -> None:
    model = make_landmark_model()
    path = make_bundle("own", landmark_model=model, fusion=fusion(0.0, 1.0))
    shape = model.shape(astronaut_landmarks) + np.random.default_rng(0).normal(0, 0.05, (468, 3))
    baseline = NeutralBaseline(shape.astype(np.float32), model.template_digest, 30)
    with Pipeline.load(path, filters=()) as pipeline:
        assert pipeline.landmark_model.labels == model.labels
        for _ in range(8):  # until the tracking filter rests
            plain = pipeline.track(astronaut).faces[0]
        pipeline.use_baseline(baseline, track_id=plain.track_id + 1)
        assert probabilities(pipeline.track(astronaut).faces[0]) == pytest.approx(
            probabilities(plain), abs=0.02
        )
        pipeline.use_baseline(baseline, track_id=plain.track_id)
        own = pipeline.track(astronaut).faces[0]
        expected = sigmoid(model.logits(own.landmarks, baseline))
        np.testing.assert_allclose(probabilities(own), expected, atol=1e-3)
        assert np.abs(np.subtract(probabilities(own), probabilities(plain))).max() > 0.1
        pipeline.use_baseline(None, track_id=plain.track_id)
        assert probabilities(pipeline.track(astronaut).faces[0]) == pytest.approx(
            probabilities(plain), abs=0.02
        )


def sides_of(model, labels=("AU12", "AU4")) -> LandmarkSides:
    """Sides whose left weight matrix looks at points of the left half alone; the mirror exchanges halves about x = 0."""
    template = model.template
    mirror = np.arange(len(template))
    order = np.argsort(template[:, 0])
    mirror[order] = order[::-1]
    weights = np.zeros((len(labels), len(template), 3), np.float32)
    weights[:, order[-20:], 1] = 4.0
    count = len(labels)
    return LandmarkSides(
        labels, mirror, weights, np.zeros(count, np.float32), np.ones(count, np.float32),
        np.zeros(count, np.float32), np.full(count, 0.5, np.float32),
    )  # fmt: skip


def test_the_stronger_side_has_the_probability_of_the_au_and_the_weaker_one_less(
    make_bundle, make_landmark_model, astronaut, astronaut_landmarks
) -> None:
    model = make_landmark_model()
    model = replace(model, sides=sides_of(model))
    face = only_face(make_bundle("sided", landmark_model=model, fusion=fusion()), astronaut)
    left, right = model.estimate(astronaut_landmarks).sides
    for column, label in enumerate(("AU12", "AU4")):
        unit = face.aus[label]
        assert unit.probability == max(unit.left, unit.right)
        assert (unit.left > unit.right) == (left[column] > right[column])
        apart = logit(np.array([unit.left, unit.right]))
        assert apart[0] - apart[1] == pytest.approx(left[column] - right[column], abs=0.02)
    assert face.aus["AU25"].left is face.aus["AU25"].right is None


def test_a_model_without_sides_gives_none(make_bundle, make_landmark_model, astronaut) -> None:
    face = only_face(make_bundle("plain", landmark_model=make_landmark_model(), fusion=fusion()), astronaut)
    assert all(au.left is None and au.right is None for au in face.aus.values())


def test_mirrored_shapes_have_mirrored_sides(make_landmark_model) -> None:
    model = make_landmark_model()
    sides = sides_of(model)
    difference = np.random.default_rng(0).normal(0, 0.01, (468, 3)).astype(np.float32)
    mirrored = difference[sides.mirror] * np.array((-1, 1, 1), np.float32)
    np.testing.assert_allclose(sides.logits(mirrored), sides.logits(difference)[::-1], atol=1e-5)


def test_network_logits_at_rest_move_every_au_of_whom_they_are(
    make_bundle, make_landmark_model, astronaut, astronaut_landmarks
) -> None:
    model = make_landmark_model()
    rest = dict.fromkeys(DEFAULT, -1.0)
    path = make_bundle("rest", landmark_model=model, fusion=replace(fusion(2.0, 0.0), rest=rest))
    with Pipeline.load(path, filters=(), experimental=True) as pipeline:
        plain = pipeline.process(astronaut).faces[0]
        own = plain.network_logits
        assert own.shape == (len(DEFAULT),)
        np.testing.assert_allclose(probabilities(plain), sigmoid(2 * own), atol=1e-4)
        network = pipeline.bundle.network_identity
        baseline = NeutralBaseline(
            model.shape(astronaut_landmarks), model.template_digest, 9, network_logits=own, network=network
        )
        pipeline.use_baseline(baseline)
        moved = pipeline.process(astronaut).faces[0]
        np.testing.assert_array_equal(moved.network_logits, own)
        np.testing.assert_allclose(probabilities(moved), sigmoid(2 * (own - 0.7 * (own + 1))), atol=1e-4)
        for other, said in (
            (
                replace(baseline, network=replace(network, digest="another")),
                "with other weights of the network tiny",
            ),
            (replace(baseline, template_digest="another"), "with another landmark model"),
        ):
            with pytest.raises(InputError, match=said):
                pipeline.use_baseline(other)
        np.testing.assert_array_equal(
            probabilities(pipeline.process(astronaut).faces[0]), probabilities(moved)
        )


def test_a_baseline_is_refused_where_it_would_have_no_effect(bundle_path, make_landmark_model) -> None:
    model = make_landmark_model()
    with Pipeline.load(bundle_path) as pipeline:
        assert pipeline.landmark_model is None
        with pytest.raises(InputError, match="that of tiny has none; use no baseline"):
            pipeline.use_baseline(NeutralBaseline(model.template, model.template_digest, 9))
        pipeline.use_baseline(None)
