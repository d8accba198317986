"""The comparison on answers that are made up: each person has a bias that only the features tell, now or at rest."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import InputError
from edgeau_training.evaluation.network_features import NetworkFeatures
from edgeau_training.evaluation.rest_head import BASELINE, compare_heads, main
from edgeau_training.evaluation.rest_head_fit import HeadData, HeadRule, fit_head
from edgeau_training.evaluation.rest_pairs import joined, rest_pairs

PEOPLE, EACH = 80, 6
RULE = HeadRule(pulls=(0.01, 0.1), decays=(0.03,), epochs=5, steps=20)
NOW = "head on features now"
LABELS = load_bundle(packaged_bundle_path("light")).manifest.labels
FACE = np.random.default_rng(1).uniform(80, 170, (478, 3)).astype(np.float32)


def made_up(seed: int, kept_by_person: bool) -> NetworkFeatures:
    """Faces whose feature of each AU is the truth and a bias; the bias stays with the person, or is drawn again for each picture.

    The logits are noise, so that only features tell the truth. The first two of a person's faces are at rest.
    """
    random = np.random.default_rng(seed)
    count, aus = PEOPLE * EACH, len(LABELS)
    persons = np.repeat(np.arange(PEOPLE), EACH)
    at_rest = np.tile(np.arange(EACH) < 2, PEOPLE)
    truth = (random.random((count, aus)) < 0.4) & ~at_rest[:, None]
    bias = (
        random.normal(0, 2, (PEOPLE, aus))[persons] if kept_by_person else random.normal(0, 2, (count, aus))
    )
    return NetworkFeatures(
        (1.5 * truth + bias + random.normal(0, 0.3, (count, aus))).astype(np.float32),
        random.normal(-1, 1, (count, aus)).astype(np.float32),
        truth.astype(np.int8),
        persons,
        at_rest,
        np.broadcast_to(FACE, (count, *FACE.shape)).copy(),
    )


def compared(kept_by_person: bool) -> dict[str, dict]:
    bundle = load_bundle(packaged_bundle_path("light"))
    train, test = (rest_pairs(bundle, made_up(seed, kept_by_person)) for seed in (0, 1))
    document = compare_heads(bundle, train, test, 8, 60, RULE)
    assert document["test"] == {"faces": PEOPLE * (EACH - 1), "people": PEOPLE, "at_rest": PEOPLE}
    return {row["name"]: row for row in document["rows"]}


def test_a_face_at_rest_wins_where_it_tells_the_persons_bias() -> None:
    rows = compared(kept_by_person=True)
    won = rows["head on features now and at rest"]
    assert won["changes"][BASELINE]["auc_95"][0] > 0.1
    assert won["changes"][NOW]["auc_95"][0] > 0.05
    assert won["changes"][NOW]["f1_95"][0] > 0
    assert won["f1_95"][0] < won["f1"] < won["f1_95"][1]
    assert won["aus"]["AU12"]["auc"] > rows[BASELINE]["aus"]["AU12"]["auc"]
    assert won["alarms_at_rest"][1] == PEOPLE * len(LABELS)
    assert won["changes"][BASELINE]["alarms_95"][1] < 0
    assert won["changes"]["head on logits now and at rest"]["auc_95"][0] > 0.1
    # The logits are noise: what is fitted on them alone gains nothing.
    assert rows["head on logits now and at rest"]["auc"] < 0.6


def test_a_face_at_rest_does_not_win_where_it_tells_nothing() -> None:
    rows = compared(kept_by_person=False)
    head = rows["head on features now and at rest"]
    assert head["changes"][BASELINE]["auc_95"][0] > 0.05  # features tell the truth now as well
    assert head["changes"][NOW]["auc_95"][0] < 0.01
    assert head["changes"][NOW]["f1_95"][0] < 0.01


def test_the_baseline_is_the_one_that_the_package_gives() -> None:
    bundle = load_bundle(packaged_bundle_path("light"))
    found = made_up(0, True)
    pairs = rest_pairs(bundle, found)
    assert not set(np.flatnonzero(found.at_rest)[::2]) & set(_rows_of(found, pairs))
    manifest = bundle.manifest
    model = LandmarkModel.load(bundle.path(manifest.landmark_model))
    columns = [model.labels.index(label) for label in LABELS]
    own = NeutralBaseline(
        model.shape(FACE), model.template_digest, 1, 1.0, found.logits[0], bundle.network_identity
    )
    average, weights, landmark_weights, bias = (
        np.array([part[label] for label in LABELS], np.float32)
        for part in (
            manifest.fusion.rest,
            manifest.fusion.network,
            manifest.fusion.landmark,
            manifest.fusion.bias,
        )
    )
    moved = found.logits[1] - own.excess(average, bundle.network_identity)
    expected = weights * moved + landmark_weights * model.logits(FACE, own)[columns] + bias
    np.testing.assert_allclose(pairs.own_fused[0], expected, atol=1e-4)
    np.testing.assert_allclose(pairs.moved_network[0], moved, atol=1e-5)
    plain = weights * found.logits[1] + landmark_weights * model.logits(FACE)[columns] + bias
    np.testing.assert_allclose(pairs.fused[0], plain, atol=1e-4)
    np.testing.assert_array_equal(pairs.rest_features[0], found.features[0])


def _rows_of(found: NetworkFeatures, pairs) -> list[int]:
    return [int(np.flatnonzero((found.features == row).all(axis=1))[0]) for row in pairs.features]


def test_people_of_several_files_stay_apart() -> None:
    bundle = load_bundle(packaged_bundle_path("light"))
    parts = [rest_pairs(bundle, made_up(seed, True)) for seed in (0, 1)]
    both = joined(parts)
    assert len(np.unique(both.persons)) == 2 * PEOPLE
    assert all(len(getattr(both, field.name)) == 2 * len(parts[0].truth) for field in fields(both))
    with pytest.raises(InputError, match="of different networks"):
        joined([parts[0], replace(parts[1], features=parts[1].features[:, :3])])


def test_answers_that_do_not_fit_are_refused() -> None:
    bundle = load_bundle(packaged_bundle_path("light"))
    found = made_up(0, True)
    unknown = found.truth.copy()
    unknown[5, 3] = -1
    for wrong, said in (
        (replace(found, truth=unknown), "without a label"),
        (replace(found, at_rest=np.zeros_like(found.at_rest)), "no person is seen both at rest"),
        (replace(found, logits=found.logits[:, :4]), "of a network of 4 AUs"),
    ):
        with pytest.raises(InputError, match=said):
            rest_pairs(bundle, wrong)


@pytest.mark.parametrize("width", [0, 8])
def test_a_head_answers_people_out_of_fold_and_regularises_what_is_noise(width: int) -> None:
    random = np.random.default_rng(0)
    persons = np.repeat(np.arange(60), 5)
    truth = (random.random((300, 2)) < 0.5).astype(np.int8)
    # A mark of the person that tells its own faces' truth, and nobody else's: only out of fold is it seen to be worth nothing.
    truth[:, 0] = (random.random(60) < 0.5)[persons]
    marks = np.eye(60, dtype=np.float32)[persons]
    head = fit_head(HeadData(marks, np.zeros((300, 2), np.float32)), truth, persons, width, RULE)
    right = ((head.out_of_fold[:, 0] > 0) == (truth[:, 0] == 1)).mean()
    assert right < 0.6
    assert head.loss > 0.68
    assert head.strength == (0.03 if width else 0.1)


def test_fewer_persons_than_folds_are_refused() -> None:
    data = HeadData(np.zeros((8, 2), np.float32), np.zeros((8, 1), np.float32))
    with pytest.raises(InputError, match="too few for a cross-validation"):
        fit_head(data, np.zeros((8, 1), np.int8), np.arange(8) % 4, 0)


def test_the_command_reads_files_of_features(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, seed in (("train", 0), ("test", 1)):
        found = made_up(seed, True)
        if name == "test":  # nobody is seen at rest a second time
            found = replace(found, at_rest=np.tile(np.arange(EACH) < 1, PEOPLE))
        np.savez(
            tmp_path / f"{name}.npz", **{field.name: getattr(found, field.name) for field in fields(found)}
        )
    asked = ["light", "--train", str(tmp_path / "train.npz"), "--test", str(tmp_path / "test.npz")]
    asked += ["--hidden", "8", "--resamples", "20"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert f"tested on {PEOPLE * (EACH - 1)} faces of {PEOPLE} others" in said
    assert "head on features now and at rest, from head on logits now and at rest" in said
    assert main([*asked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["name"] for row in rows][3] == BASELINE
    assert rows[3]["changes"][BASELINE] == {"f1_95": [0, 0], "auc_95": [0, 0], "alarms_95": [None, None]}
    assert rows[3]["alarms_at_rest"] == [0, 0]
