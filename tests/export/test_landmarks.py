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
    no_mediapipe(monkeypatch)
    with Pipeline.load(bundle) as pipeline:
        (face,) = pipeline.process(astronaut).faces
    assert face.landmarks.shape == (478, 3)


def test_none_leaves_them_out_and_a_machine_without_any_is_told_the_command(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = exported(tmp_path / "b", checkpoint, "none")
    assert load_bundle(bundle).manifest.landmarks is None
    assert not (bundle / "landmarks").exists()
    no_mediapipe(monkeypatch)
    with pytest.raises(DependencyError, match="this bundle brings none, .*edgeau-landmarks --fetch"):
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
    assert "cache: none" in done.stdout
