"""Twins at rest keep the scene; their head turns only as far as was asked."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from edgeau_training.evaluation.faces.synthetic import SyntheticSplit
from edgeau_training.synth.command import main as synth
from edgeau_training.synth.rest_twins import main
from edgeau_training.synth.shards import SCHEMA, shard_path, write_shard


@pytest.fixture(scope="module")
def small_set(tiny_rig, rig_cache, tmp_path_factory):
    """Ten rendered faces, said to be found; the last person of those with an expression is seen twice."""
    folder = tmp_path_factory.mktemp("set")
    asked = [str(tiny_rig), "--out", str(folder), "--count", "1", "--val-count", "10", "--workers", "1"]
    assert synth([*asked, "--cache", str(rig_cache), "--size", "96"]) == 0
    rows = pq.read_table(shard_path(folder, "val", 0)).to_pylist()
    shown = [row for row in rows if max(row["aus"]) > 0]
    for row in rows:
        row.update(detected=True, landmarks=[1.0] * (478 * 3), crop=b"")
    shown[1].update(identity=shown[0]["identity"])
    write_shard(shard_path(folder, "val", 0), rows)
    return folder, shown


def twins(small_set, tiny_rig, rig_cache, out, *asked: str) -> list[dict]:
    arguments = [str(tiny_rig), "--data", str(small_set[0]), "--out", str(out), "--cache", str(rig_cache)]
    assert main([*arguments, *asked]) == 0
    assert json.loads((out / "dataset.json").read_text())["counts"] == {"val": _count(out)}
    return pq.read_table(shard_path(out, "val", 0), schema=SCHEMA).to_pylist()


def _count(out) -> int:
    return SyntheticSplit(out, "val").count


def test_a_twin_is_at_rest_in_the_same_scene(small_set, tiny_rig, rig_cache, tmp_path):
    rows = twins(small_set, tiny_rig, rig_cache, tmp_path / "twins", "--count", "2")
    assert [row["identity"] for row in rows] == [0, 0, 1, 1]
    for rest, shown in zip(rows[::2], rows[1::2], strict=True):
        assert max(rest["aus"]) == 0 < max(shown["aus"])
        assert rest["seed"] == shown["seed"]
        np.testing.assert_allclose(rest["pose"], shown["pose"], atol=1e-5)
        assert rest["image"] != shown["image"]


def test_a_turned_twin_comes_before_the_face_and_rest_in_its_pose_after(
    small_set, tiny_rig, rig_cache, tmp_path
):
    rows = twins(small_set, tiny_rig, rig_cache, tmp_path / "twins", "--count", "2", "--turn", "6", "--again")
    assert [row["identity"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert [max(row["aus"]) > 0 for row in rows] == [False, True, False] * 2
    turned, shown, again = (np.array([row["pose"] for row in rows[start::3]]) for start in range(3))
    np.testing.assert_allclose(again, shown, atol=1e-5)
    assert (np.abs(turned - shown) > 0.01).all()
    assert np.abs(turned - shown).max() < 30
    straight = twins(small_set, tiny_rig, rig_cache, tmp_path / "straight", "--count", "2")
    assert rows[2]["image"] == straight[0]["image"]


def test_each_person_once(small_set, tiny_rig, rig_cache, tmp_path):
    rows = twins(small_set, tiny_rig, rig_cache, tmp_path / "twins", "--count", "2", "--each-once")
    _, shown = small_set
    assert [row["index"] for row in rows[1::2]] == [shown[0]["index"], shown[2]["index"]]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--again"], "twice unless --turn"),
        (["--turn", "-1"], "a number of degrees from 0 to 30"),
        (["--turn", "nan"], "a number of degrees"),
        (["--turn", "far"], "a number of degrees"),
    ],
)
def test_what_cannot_be_turned_is_said(asked, words, tmp_path, capsys):
    arguments = ["nowhere", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *asked]
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
