"""A published set as calibration data: a table for the time of the export, with nobody in two of its splits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from edgeau.action_units.labelled_pictures import read_labelled_pictures
from edgeau.action_units.names import BP4D
from edgeau.bundle import load_bundle
from edgeau.bundle.manifest import InputSpec, NetworkInfo
from edgeau.bundle.provenance import Provenance, TrainedOn
from edgeau.errors import CalibrationError, InputError, UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate
from edgeau_export.command import main
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization import labelled_data
from edgeau_export.quantization.labelled_data import PublishedSet
from edgeau_export.quantization.published_set import (
    calibration_data,
    described_with_licence,
    published_set,
)
from edgeau_export.source_network.network import NetworkDescription
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.datasets import open_data_set
from edgeau_training.networks import build_network
from tests.training.trees import OPTIONS, make_trees

SILENT = ProgressReporter(silent=True)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> dict[str, Path]:
    face = np.ascontiguousarray(astronaut[:280, 100:380])
    found: dict[str, Path] = make_trees(tmp_path_factory.mktemp("trees"), face)
    return found


def described(
    data_set: str,
    labels: tuple[str, ...] = ("AU4", "AU12", "smile"),
    fold: str = "",
    alignment: Alignment | None = None,
) -> NetworkDescription:
    told = Provenance(trained_on=TrainedOn(data_set, fold, OPTIONS[data_set]))
    return NetworkDescription(
        NetworkInfo("a", "a", {}, 1, True, "a test", told),
        labels,
        InputSpec(),
        alignment or Alignment(),
        dict.fromkeys(labels, 0.5),
    )


@pytest.mark.parametrize(
    ("name", "fold"), [("bp4d", "2"), ("disfa", "3"), ("emotionet", ""), ("aff-wild2", "")]
)
def test_it_is_a_table_with_nobody_in_two_splits(trees: dict[str, Path], name: str, fold: str) -> None:
    description = described(name, fold=fold)
    with calibration_data(PublishedSet(name, trees[name]), description, SILENT) as table:
        assert table is not None
        found = read_labelled_pictures(table)
        assert found.labels == ("AU4", "AU12")
        assert found.person is not None
        assert found.split is not None
        persons = {
            split: {p for p, s in zip(found.person, found.split, strict=True) if s == split}
            for split in ("train", "val", "test")
        }
        assert all(persons.values())
        assert not persons["train"] & persons["test"]
        assert not persons["val"] & (persons["test"] | persons["train"])
        reader = open_data_set(name, trees[name], **OPTIONS[name])
        frames = reader.read()
        division = reader.fold(frames, fold or reader.folds[0])
        assert persons["test"] == {frames.group_names[group] for group in frames.group[division.test]}
        assert cv2.imread(str(found.path(0))) is not None
    assert not table.exists()


def test_crops_of_the_networks_own_cut_are_ready_crops(trees: dict[str, Path]) -> None:
    description = described("aff-wild2", alignment=ArcFaceTemplate(64))
    with calibration_data(PublishedSet("aff-wild2", trees["aff-wild2"]), description, SILENT) as table:
        assert table is not None
        assert cv2.imread(str(read_labelled_pictures(table).path(0))).shape == (64, 64, 3)


def test_its_licence_goes_with_the_bundle() -> None:
    description = described("bp4d")
    (terms,) = described_with_licence(description, PublishedSet("bp4d", Path("x"))).licences
    assert terms == "ranges and thresholds from BP4D, whose agreement allows non-commercial research only"


def test_a_path_is_no_published_set(tmp_path: Path) -> None:
    assert published_set("bp4d:/data", ["a=1"]) == PublishedSet("bp4d", Path("/data"), {"a": 1})
    assert published_set(str(tmp_path)) is None
    assert published_set("c:/faces") is None
    assert published_set(None) is None
    with pytest.raises(UsageError, match="--calib-option belongs to a published set"):
        published_set("faces/", ["a=1"])


def test_what_cannot_be_used_is_named(trees: dict[str, Path], tmp_path: Path) -> None:
    with (
        pytest.raises(
            CalibrationError, match="bp4d codes none of the network's labels: it codes AU1, .*has smile"
        ),
        calibration_data(PublishedSet("bp4d", trees["bp4d"]), described("bp4d", ("smile",)), SILENT),
    ):
        pass
    network = described("bp4d").network
    told = (Provenance(trained_on=TrainedOn("bp4d", fold, OPTIONS["bp4d"])) for fold in "12")
    merged = Provenance(members=tuple(told))
    of_two_folds = replace(described("bp4d"), network=replace(network, provenance=merged))
    with (
        pytest.raises(CalibrationError, match="trained on folds 1, 2 of bp4d, so that nobody"),
        calibration_data(PublishedSet("bp4d", trees["bp4d"]), of_two_folds, SILENT),
    ):
        pass
    with (
        pytest.raises(InputError, match=r"F001_T1\.csv does not exist"),
        calibration_data(PublishedSet("bp4d", tmp_path), described("bp4d"), SILENT),
    ):
        pass


def test_an_export_is_calibrated_on_it(
    trees: dict[str, Path], checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "b"
    line = ["--model", str(checkpoint), "--target", "cpu", "--precision", "int8", "--out", str(out)]
    line += ["--calib", f"bp4d:{trees['bp4d']}", "--calib-option", "subjects=F001,M011,F007"]
    line += ["--calib-accept", "one-person,near-duplicates,inactive-aus", "--max-f1-drop", "1"]
    code = main(line)
    said = capsys.readouterr().err
    assert code == 0, said
    assert "bp4d: fold 1; the splits for ranges, thresholds and F1 share no person" in said
    manifest = load_bundle(out).manifest
    assert manifest.artifacts
    for artifact in manifest.artifacts:
        assert artifact.calibration is not None
        assert artifact.calibration.source == "bp4d-fold-1.csv"
    assert (
        "ranges and thresholds from BP4D, whose agreement allows non-commercial research only"
        in manifest.licences
    )


@pytest.mark.parametrize(
    ("name", "damaged", "named"),
    [
        ("bp4d", ("F001/T3/021.jpg", "M011/T3/021.jpg", "F007/T3/021.jpg"), ".csv, row "),
        ("disfa", ("Videos_LeftCamera/LeftVideoSN013_comp.avi",), "DISFA, SN013, frame 1: "),
    ],
)
def test_a_damaged_picture_is_named_and_the_rest_is_used(
    trees: dict[str, Path],
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    damaged: tuple[str, ...],
    named: str,
) -> None:
    """Whichever of ranges, thresholds and F1 it would have served."""
    monkeypatch.setattr(labelled_data, "_LEAST", 4)
    root = shutil.copytree(trees[name], tmp_path / name)
    for file in damaged:
        (root / file).write_bytes((root / file).read_bytes()[:40])
    out = tmp_path / "b"
    line = ["--model", str(checkpoint), "--target", "cpu", "--precision", "fp32,int8", "--out", str(out)]
    line += ["--calib", f"{name}:{root}", "--max-f1-drop", "1", "--landmarks", "none"]
    line += ["--calib-option", f"subjects={','.join(OPTIONS[name]['subjects'])}"]
    line += ["--calib-accept", "one-person,near-duplicates,inactive-aus"]
    code = main(line)
    said = capsys.readouterr().err
    assert code == 1, said
    for file in damaged:
        (line_of_it,) = (
            text
            for text in said.splitlines()
            if named in text and file.split("/")[-3 if name == "bp4d" else -1] in text
        )
        assert "left out: " in line_of_it
    assert {item.precision for item in load_bundle(out).manifest.artifacts} == {"fp32", "int8"}


def test_its_labels_set_thresholds_and_budget(
    trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled_data, "_LEAST", 8)  # a tiny tree has 16 pictures a split
    torch.manual_seed(0)
    options = {"stem": "test_efficientnet"}
    info = CheckpointInfo("mrpnet", BP4D, options, trained=True, training="a test")
    save_checkpoint(tmp_path / "c.safetensors", build_network("mrpnet", BP4D, **options), info)
    line = ["--model", str(tmp_path / "c.safetensors"), "--target", "cpu", "--precision", "fp32,int8"]
    line += ["--calib", f"bp4d:{trees['bp4d']}", "--calib-option", "subjects=F001,M011,F007"]
    line += ["--calib-accept", "one-person,near-duplicates,inactive-aus", "--max-f1-drop", "1"]
    assert main([*line, "--out", str(tmp_path / "b"), "--landmarks", "none"]) == 0
    artifacts = {
        (item.runtime, item.precision): item for item in load_bundle(tmp_path / "b").manifest.artifacts
    }
    accuracy = artifacts["onnxruntime", "int8"].accuracy
    assert accuracy is not None
    assert accuracy.data.startswith("bp4d-fold-1.csv, split test")
    assert accuracy.count == 16
    assert any(value != 0.5 for value in artifacts["onnxruntime", "int8"].thresholds.values())
