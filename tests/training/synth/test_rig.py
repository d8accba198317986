"""A rig is read once, trimmed to what is seen, and an incomplete folder says what it lacks."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from edgeau.errors import UserError
from edgeau_training.synth import rig as parts
from edgeau_training.synth.rig import load_rig


@pytest.fixture
def copy(tiny_rig, tmp_path):
    return shutil.copytree(tiny_rig, tmp_path / "copy")


def test_arrays_fit_together(tiny_rig, rig_cache):
    rig = load_rig(tiny_rig, rig_cache)
    vertices = len(rig.neutral)
    assert rig.identity.shape == (parts.IDENTITY_MODES, vertices, 3)
    assert rig.expression.shape == (len(rig.expression_names), vertices, 3)
    assert rig.triangles.max() < vertices
    assert rig.uvs.min() >= 0
    assert rig.uvs.max() <= 1
    assert rig.landmarks.shape == (68,)
    assert set(np.unique(rig.materials)) == set(range(7))


def test_what_is_never_seen_is_trimmed(tiny_rig, rig_cache):
    rig = load_rig(tiny_rig, rig_cache)
    back = rig.neutral[rig.triangles[rig.materials == parts.BACK_HEAD]]
    assert back[:, :, 2].max(1).min() >= parts.DEPTH_LIMITS[parts.BACK_HEAD]


def test_the_model_folder_itself_will_do(tiny_rig, rig_cache):
    assert load_rig(tiny_rig / "FaceXModel", rig_cache).digest == load_rig(tiny_rig, rig_cache).digest


def test_the_second_load_comes_from_the_cache(copy, tmp_path):
    first = load_rig(copy, tmp_path / "cache")
    stored = next((tmp_path / "cache").iterdir())
    written = stored.stat().st_mtime_ns
    second = load_rig(copy, tmp_path / "cache")
    assert stored.stat().st_mtime_ns == written
    np.testing.assert_array_equal(first.expression, second.expression)
    assert first.digest == second.digest


def test_another_rig_has_another_digest(copy, tmp_path):
    before = load_rig(copy, tmp_path / "cache").digest
    shape = copy / "FaceXModel" / "browDown_L.obj"
    shape.write_text(shape.read_text() + "# changed\n")
    assert load_rig(copy, tmp_path / "cache").digest != before


@pytest.mark.parametrize(
    "missing",
    [["mouthSmile_L.obj"], ["generic_neutral_mesh.obj", "identity007.obj"], ["vertex_indices.json"]],
)
def test_missing_files_are_named(copy, tmp_path, missing):
    for name in missing:
        (copy / "FaceXModel" / name).unlink()
    with pytest.raises(UserError) as caught:
        load_rig(copy, tmp_path / "cache")
    assert all(name in str(caught.value) for name in missing)


def test_many_missing_files_are_counted(copy, tmp_path):
    for path in (copy / "FaceXModel").glob("identity*.obj"):
        path.unlink()
    with pytest.raises(UserError, match="and 48 more"):
        load_rig(copy, tmp_path / "cache")


def test_no_folder_is_said(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        load_rig(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2].rsplit("\n", 1)[0] + "\n", "vertices, the neutral mesh has"),
        (lambda text: text.replace("v ", "v 1.0 ", 1), "expected one block"),
        (lambda _: "", "expected one block"),
        (lambda text: text.replace("v ", "v x", 1), "is not a number"),
    ],
)
def test_a_damaged_shape_is_named(copy, tmp_path, damage, words):
    shape = copy / "FaceXModel" / "jawOpen.obj"
    shape.write_text(damage(shape.read_text()))
    with pytest.raises(UserError, match=words) as caught:
        load_rig(copy, tmp_path / "cache")
    assert "jawOpen.obj" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vt 0.5", "a line of the mesh is damaged"),
        ("vt a b", "a line of the mesh is damaged"),
        ("f 1/1 2/2 x/3", "a line of the mesh is damaged"),
        ("f 1/1 2/2 -3/3", "not counted from 1"),
        ("f 1/1 2/2 3/99999999", "a line of the mesh is damaged"),
        ("f 1/1 2/2 99999999/3", "names vertex 99999998"),
    ],
)
def test_a_damaged_mesh_is_named(copy, tmp_path, line, words):
    mesh = copy / "FaceXModel" / "generic_neutral_mesh.obj"
    mesh.write_text(f"{mesh.read_text()}{line}\n")
    with pytest.raises(UserError, match=words):
        load_rig(copy, tmp_path / "cache")


def test_an_index_beyond_the_mesh_is_named(copy, tmp_path):
    path = copy / "FaceXModel" / "vertex_indices.json"
    index = json.loads(path.read_text())
    index["idx_to_landmark_verts"][3] = 10**8
    path.write_text(json.dumps(index))
    with pytest.raises(UserError, match="names vertex 100000000"):
        load_rig(copy, tmp_path / "cache")


def test_an_index_that_is_no_json_is_named(copy, tmp_path):
    (copy / "FaceXModel" / "vertex_indices.json").write_text("{")
    with pytest.raises(UserError, match=r"vertex_indices\.json"):
        load_rig(copy, tmp_path / "cache")


def test_a_damaged_cache_is_read_anew(copy, tmp_path):
    first = load_rig(copy, tmp_path / "cache")
    stored = next((tmp_path / "cache").iterdir())
    stored.write_bytes(stored.read_bytes()[:1000])
    np.testing.assert_array_equal(load_rig(copy, tmp_path / "cache").neutral, first.neutral)
