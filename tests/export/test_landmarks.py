"""Landmark networks that travel in a bundle: which, with which notice, and a device without mediapipe that runs them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.bundle import load_bundle
from edgeau.errors import DependencyError, InputError, UserError
from edgeau.faces.landmarks import mediapipe_models as models
from edgeau_export.command import main
from edgeau_export.export import export_bundle

pytest.importorskip("ai_edge_litert")


def exported(out: Path, checkpoint: Path, landmarks: Path | str | None) -> Path:
    export_bundle("cpu", out, checkpoint, precisions=("fp32",), landmarks=landmarks)
    return out


def no_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a device: no mediapipe, nothing fetched."""
    monkeypatch.delenv(models.ENVIRONMENT, raising=False)
    monkeypatch.setattr(models, "find_spec", lambda name: None)


def test_those_of_this_machine_travel_by_default(
    seeded_bundle: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = load_bundle(seeded_bundle).manifest.landmarks
    assert networks is not None
    assert networks.source.startswith("mediapipe 0.10.")
    assert networks.points == 478
    notice = (seeded_bundle / networks.notice).read_text()
    assert "Copyright The MediaPipe Authors" in notice
    assert "Apache License" in notice
    assert "face_landmark_with_attention.tflite  SHA-256 " in notice
    assert "modified by edgeau" in notice
    assert "taken out of face_landmark_with_attention.tflite of SHA-256 e06a804e" in networks.source
    no_mediapipe(monkeypatch)
    with Pipeline.load(seeded_bundle) as pipeline:
        assert len(pipeline.process(astronaut).faces) == 1


def test_a_task_travels(
    tmp_path: Path,
    checkpoint: Path,
    shared_data: Path,
    astronaut: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = exported(tmp_path / "b", checkpoint, shared_data / "face_landmarker.task")
    networks = load_bundle(bundle).manifest.landmarks
    assert networks is not None
    assert networks.mesh == "landmarks/face_landmarks_detector.tflite"
    assert "Google's face_landmarker float16/1, SHA-256 64184e22" in networks.source
    assert "networks of MediaPipe, unchanged" in (bundle / networks.notice).read_text()
    no_mediapipe(monkeypatch)
    with Pipeline.load(bundle) as pipeline:
        (face,) = pipeline.process(astronaut).faces
    assert face.landmarks.shape == (478, 3)


def test_a_bundles_own_networks_travel_on_and_keep_their_history(
    tmp_path: Path, checkpoint: Path, seeded_bundle: Path
) -> None:
    bundle = exported(tmp_path / "b", checkpoint, seeded_bundle / "landmarks")
    before, after = (load_bundle(one).manifest.landmarks for one in (seeded_bundle, bundle))
    assert before is not None
    assert after is not None
    assert after.source.startswith("a folder of MediaPipe's networks; modified by edgeau")
    assert after.source.endswith(before.source.partition("; ")[2])
    assert (bundle / after.mesh).read_bytes() == (seeded_bundle / before.mesh).read_bytes()


def test_a_bundle_that_was_exported_with_the_original_mesh_still_finds_faces(
    seeded_bundle: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    place = models.installed_models()
    assert place is not None
    folder = tmp_path / "landmarks"
    folder.mkdir()
    for name in (models.DETECTOR, models.REFINED_MESH):
        (folder / Path(name).name).write_bytes((place / name).read_bytes())
    faces = []
    for networks in (None, folder):
        with Pipeline.load(seeded_bundle, landmarker_model=networks) as pipeline:
            faces += pipeline.process(astronaut).faces
    np.testing.assert_array_equal(faces[0].landmarks, faces[1].landmarks)
    assert faces[0].aus == faces[1].aus


def test_none_leaves_them_out_and_a_machine_without_any_is_told_the_command(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = exported(tmp_path / "b", checkpoint, "none")
    assert load_bundle(bundle).manifest.landmarks is None
    assert not (bundle / "landmarks").exists()
    no_mediapipe(monkeypatch)
    with pytest.raises(DependencyError, match="this bundle has none, .*edgeau-landmarks --fetch"):
        Pipeline.load(bundle)


def test_what_holds_no_face_networks_is_refused_before_any_work(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "mediapipe-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mediapipe/__init__.py", "")
    with pytest.raises(InputError, match="wheel without face landmark networks"):
        exported(tmp_path / "b", checkpoint, wheel)
    arguments = ["--model", checkpoint, "--target", "cpu", "--out", tmp_path / "b"]
    code = main([str(a) for a in (*arguments, "--landmarks", wheel, "--landmarks", "none")])
    assert code == UserError.exit_code
    assert "two landmark sets were given" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_the_command_lists_what_is_there(seeded_bundle: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "edgeau_apps.landmarks", "--bundle", str(seeded_bundle)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"used: bundle {seeded_bundle}" in done.stdout
    assert "Apache-2.0, Copyright The MediaPipe Authors" in done.stdout
    assert "face_landmark_with_attention.tflite SHA-256 " in done.stdout
    assert "478 points, mediapipe 0.10.21; modified by edgeau: " in done.stdout
    assert "cache: none" in done.stdout
