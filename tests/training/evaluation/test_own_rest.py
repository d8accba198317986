from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import InputError
from edgeau_training.evaluation import own_rest as module
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.own_rest import _rows, own_rest

LABELS = load_bundle(packaged_bundle_path()).manifest.labels
COUNT = 60


class People:
    """Persons whose network logits are too high at rest and otherwise by the same; every second face is at rest."""

    name, digest, labels, count, has_pictures = "people", "", LABELS, 2 * COUNT, True

    def __init__(self, resting: bool = True) -> None:
        random = np.random.default_rng(0)
        self.persons = np.repeat(np.arange(COUNT), 2)
        self.truth = (random.random((2 * COUNT, len(LABELS))) < 0.5).astype(np.int8)
        self.truth[::2] = 0
        self.bias = np.repeat(random.normal(0, 3, (COUNT, len(LABELS))), 2, axis=0)
        self.resting = np.tile([resting, False], COUNT)

    def batches(self, size: int, limit: int | None = None) -> Iterator[FaceBatch]:
        face = np.random.default_rng(1).uniform(80, 170, (1, 478, 3)).astype(np.float32)
        for start in range(0, limit or self.count, size):
            part = slice(start, start + size)
            points = np.repeat(face, len(self.persons[part]), axis=0)
            yield FaceBatch(points, self.truth[part], None, self.persons[part], self.resting[part])


class Network:
    """Says the truth, and each person's own bias."""

    def __init__(self, people: People) -> None:
        self._logits = np.float32(4 * self_truth(people) - 2 + people.bias)
        self._given = 0

    def logits(self, batch: FaceBatch) -> np.ndarray:
        self._given += len(batch.truth)
        return self._logits[self._given - len(batch.truth) : self._given]

    def close(self) -> None:
        pass


def self_truth(people: People) -> np.ndarray:
    return people.truth.astype(float)


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> People:
    found = People()
    monkeypatch.setattr(module, "open_scorer", lambda *_: Network(found))
    return found


def test_what_a_person_s_face_says_at_rest_is_taken_from_what_it_says_later(people: People) -> None:
    bundle = load_bundle(packaged_bundle_path())
    found = own_rest(bundle, people)
    assert len(found.truth) == COUNT
    assert np.array_equal(found.truth, people.truth[1::2])
    np.testing.assert_allclose(found.at_rest, people.bias[::2] - 2, atol=1e-5)
    rows = _rows(bundle, found, bundle.manifest.artifacts[0].fused_thresholds)
    plain, whole = (
        next(row for row in rows if not row["landmarks"] and row["network"] == trust) for trust in (0.0, 1.0)
    )
    assert plain["change"] == 0
    assert whole["auc"] > plain["auc"] + 0.05
    # A single face, the same for all, tells nothing else.
    np.testing.assert_allclose(found.landmark, found.landmark[:1].repeat(COUNT, axis=0), atol=1e-5)


def test_faces_of_people_who_never_rest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    people = People(resting=False)
    monkeypatch.setattr(module, "open_scorer", lambda *_: Network(people))
    with pytest.raises(InputError, match="has no person both at rest"):
        own_rest(load_bundle(packaged_bundle_path()), people)


def test_a_bundle_that_does_not_say_what_rest_is_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json
    import shutil

    shutil.copytree(packaged_bundle_path(), tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_text())
    manifest["fusion"].pop("rest", None)
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest))
    assert module.main([str(tmp_path / "old"), "--data", str(tmp_path)]) == 2
    assert "does not contain the network's output on a face at rest" in capsys.readouterr().err


def test_faces_that_are_not_labelled_whole_are_refused(people: People) -> None:
    bundle = load_bundle(packaged_bundle_path())
    people.truth[3, 2] = -1
    with pytest.raises(InputError, match="not labelled whole"):
        own_rest(bundle, people)
    people.labels = LABELS[:-1]
    with pytest.raises(InputError, match=f"does not label {LABELS[-1]}"):
        own_rest(bundle, people)


def test_data_without_a_face_are_refused(people: People) -> None:
    people.count = 0
    with pytest.raises(InputError, match="gave no face"):
        own_rest(load_bundle(packaged_bundle_path()), people)
