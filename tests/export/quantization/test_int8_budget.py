"""INT8 to a budget of F1: on a labelled data set, in the packaged default, and refused where it cannot be kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeau.action_units.fusion import Fuser
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle import load_bundle
from edgeau.errors import GateRefusedError, InputError
from edgeau_export.command import main
from edgeau_export.export import export_bundle
from edgeau_export.packaging.packaged_int8 import add_int8
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.labelled_data import labelled_data

SILENT = ProgressReporter(silent=True)


def test_the_default_gets_an_int8_with_its_measured_cost_and_its_own_thresholds(
    network_alone: Path, labelled_set: Path
) -> None:
    add_int8(network_alone, labelled_set, 0.5, SILENT)
    bundle = load_bundle(network_alone)
    of_float, int8 = bundle.manifest.artifacts
    assert (int8.file, int8.precision, int8.runtime) == ("model.int8.onnx", "int8", "onnxruntime")
    assert int8.bytes < 0.5 * of_float.bytes
    assert int8.accuracy is not None
    assert int8.accuracy.count == 60
    assert "split test" in int8.accuracy.data
    assert int8.accuracy.f1_drop_mean is not None
    assert int8.accuracy.f1_drop_mean <= 0.5
    assert int8.thresholds != of_float.thresholds, "fitted again, on val"
    assert int8.calibration is not None
    assert int8.calibration.source == "the packaged synthetic calibration crops"
    front = json.loads((network_alone / "int8_front.json").read_text())
    assert front["points"][0]["recipe"] == "robust"
    with np.load(network_alone / bundle.manifest.golden) as golden:
        assert "logits/model.int8.onnx" in golden.files


def test_the_packaged_int8_is_copied_where_nothing_is_calibrated_anew(
    network_alone: Path, labelled_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_int8(network_alone, labelled_set, 0.5, SILENT)
    for module in (
        "edgeau_export.source_network.from_packaged",
        "edgeau_export.quantization.face_crops",
        "edgeau_calibration.data.load",
    ):
        monkeypatch.setattr(f"{module}.packaged_bundle_path", lambda *_: network_alone)
    exported = {
        item.file: item
        for item in export_bundle(
            "cpu", tmp_path / "b", precisions=("fp32", "int8"), max_f1_drop=0.5
        ).artifacts
    }["model.int8.onnx"]
    packaged = load_bundle(network_alone).manifest.artifacts[1]
    for field in ("thresholds", "accuracy", "calibration"):
        assert getattr(exported, field) == getattr(packaged, field), field
    assert exported.parity is not None
    assert exported.parity.mean_abs_logit == pytest.approx(packaged.parity.mean_abs_logit)  # type: ignore[union-attr]


def test_a_budget_that_cannot_be_kept_leaves_the_default_as_it_was(
    network_alone: Path, labelled_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (network_alone / "manifest.json").read_bytes()
    monkeypatch.setattr("edgeau_calibration.search.budget.Budget.holds", lambda *_: False)
    with pytest.raises(GateRefusedError, match="It would take --max-f1-drop"):
        add_int8(network_alone, labelled_set, 0.005, SILENT)
    assert (network_alone / "manifest.json").read_bytes() == before
    assert [entry.name for entry in network_alone.parent.iterdir()] == ["default"]


def test_the_command_leaves_with_3_where_the_budget_is_not_met(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeau_calibration.search.budget.Budget.holds", lambda *_: False)
    code = main(["--target", "cpu", "--precision", "fp32,int8", "--out", str(tmp_path / "b")])
    said = capsys.readouterr().err
    assert code == 3
    assert "gated on decisions that flip on 6 held-out crops, of 256 wanted" in said
    assert "INT8 does not keep its budget of 2.0% flipped decisions" in said.splitlines()[-1]
    assert not (tmp_path / "b").exists()


def test_a_folder_without_labels_cannot_make_a_default(network_alone: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no splits val and test"):
        add_int8(network_alone, tmp_path, 0.005, SILENT)


def test_fused_figures_are_those_of_the_runtime(
    default_bundle: Path, labelled_set: Path, tmp_path: Path
) -> None:
    """Network and landmarks are fused as the device fuses them, with the landmarks of the same face."""
    from dataclasses import replace

    from edgeau_export.source_network.from_packaged import PackagedSource

    description = PackagedSource(load_bundle(default_bundle)).description
    model = _landmark_model(description.labels)
    model.save(tmp_path / "landmarks.npz")
    data = labelled_data(labelled_set, replace(description, landmark_model=tmp_path / "landmarks.npz"))
    assert data is not None
    assert data.fuse_test is not None
    logits = np.random.default_rng(0).normal(size=(60, len(description.labels))).astype(np.float32)
    of_landmarks = np.stack([model.logits(points) for points in data.test.landmarks])
    assert description.fusion is not None
    wanted = Fuser(description.fusion, description.labels).fuse(logits, of_landmarks)
    # Face by face and all at once differ by the order of sums, which noise in the place of faces magnifies.
    np.testing.assert_allclose(data.fuse_test(logits), wanted, atol=0.05)


def _landmark_model(labels: tuple[str, ...]) -> LandmarkModel:
    rng = np.random.default_rng(0)
    count = len(labels)
    face = rng.normal(size=(468, 3)).astype(np.float32)
    ones = np.ones(count, np.float32)
    return LandmarkModel(
        labels,
        face,
        np.ones(468, np.float32),
        face,
        rng.normal(size=(count, 468, 3)).astype(np.float32),
        0 * ones,
        ones,
        0 * ones,
        0.5 * ones,
        {},
    )
