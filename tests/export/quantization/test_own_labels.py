"""The user's own labels set the INT8 budget; without labels, crops that did not calibrate decide, and what is missing is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.action_units.names import BP4D
from edgeau.bundle import load_bundle
from edgeau.errors import GateRefusedError
from edgeau.faces.alignment import BoxCrop
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_export.command import main
from edgeau_export.quantization import int8_search
from edgeau_export.source_network.from_checkpoint import CheckpointSource


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, persons_crops: np.ndarray) -> Path:
    """Crops of 40 persons, labelled by the float network itself, so that its F1 is 1."""
    folder = tmp_path_factory.mktemp("table")
    source = CheckpointSource(checkpoint)
    logits = logits_of(source.graph(17), persons_crops, source.description.input)
    present = logits > np.median(logits, axis=0)
    lines = [",".join(["picture", "person", *BP4D])]
    for number, (crop, row) in enumerate(zip(persons_crops, present, strict=True)):
        cv2.imwrite(str(folder / f"{number}.png"), crop[..., ::-1])
        lines.append(",".join([f"{number}.png", f"p{number % 40}", *(str(int(value)) for value in row)]))
    file = folder / "labels.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


TARGET = """name = "quick"
title = "Float, and INT8 without learned weights"
opset = 17
install = ""
[[artifact]]
file = "model.fp32.onnx"
runtime = "onnxruntime"
precision = "fp32"
[[artifact]]
file = "model.int8.onnx"
runtime = "onnxruntime"
precision = "int8"
recipe = "quick"
"""


def exported(checkpoint: Path, calib: Path | None, out: Path, *more: str) -> int:
    target = out.parent / "quick.toml"
    target.write_text(TARGET)
    given = ["--model", str(checkpoint), "--target", str(target), "--out", str(out), "--landmarks", "none"]
    calibrated = [] if calib is None else ["--calib", str(calib)]
    return main([*given, *calibrated, "--calib-accept", "one-person,near-duplicates", *more])


def test_own_labels_set_the_budget_and_the_thresholds(
    tmp_path: Path, checkpoint: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(checkpoint, table, tmp_path / "b", "--max-f1-drop", "1") == 0
    assert "no labelled faces" not in capsys.readouterr().err
    artifacts = {item.file: item for item in load_bundle(tmp_path / "b").manifest.artifacts}
    int8, of_float = artifacts["model.int8.onnx"], artifacts["model.fp32.onnx"]
    assert int8.accuracy is not None
    assert int8.accuracy.data.startswith("labels.csv, split test; network alone")
    assert 30 <= int8.accuracy.count <= 50
    assert int8.accuracy.f1_mean > 0.7
    assert int8.thresholds != of_float.thresholds, "fitted on val"


def test_labels_that_cannot_be_measured_on_are_said_and_flips_decide(
    tmp_path: Path, checkpoint: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for crop in table.parent.glob("*.png"):
        (tmp_path / crop.name).write_bytes(crop.read_bytes())
    rows = table.read_text().splitlines()
    smiling = [",".join([*row.split(",")[:2], "1"]) for row in rows[1:]]
    (tmp_path / "labels.csv").write_text("\n".join(["picture,person,smile", *smiling]) + "\n")
    assert exported(checkpoint, tmp_path / "labels.csv", tmp_path / "b", "--precision", "fp32,int8") == 0
    said = capsys.readouterr().err
    assert "the labels of labels.csv do not set the INT8 budget: it has smile, the network has AU1" in said


def test_an_int8_that_cannot_be_made_or_does_not_keep_its_budget_leaves_the_rest(
    tmp_path: Path,
    checkpoint: Path,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise GateRefusedError("INT8 does not keep its budget")

    monkeypatch.setattr(int8_search, "within_budget", refused)
    assert exported(checkpoint, table, tmp_path / "b") == 1
    said = capsys.readouterr().err
    assert "model.int8.onnx is left out: INT8 does not keep its budget" in said
    manifest = load_bundle(tmp_path / "b").manifest
    assert {item.precision for item in manifest.artifacts} == {"fp32"}
    assert set(manifest.left_out) == {"model.int8.onnx"}
    assert exported(checkpoint, table, tmp_path / "c", "--precision", "int8") == 3, "asked for by name"
    assert not (tmp_path / "c").exists()


def test_two_hundred_and_fifty_six_unseen_crops_decide_where_there_are_no_labels(
    tmp_path: Path, checkpoint: Path, persons_crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = (
        persons_crops[:, :, ::-1],
        np.roll(persons_crops, 60, axis=1),
    )  # mirrored, moved: no near-duplicates
    np.savez(tmp_path / "faces.npz", crops=np.concatenate((persons_crops, *others)))
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(
        int8_search,
        "search_int8",
        lambda *given: (seen.append((len(given[3].used), len(given[3].held_out))), _stop())[1],
    )
    with pytest.raises(_StopError):
        exported(checkpoint, tmp_path / "faces.npz", tmp_path / "b")
    assert seen == [(128, 256)]


class _StopError(BaseException):
    """Enough was seen."""


def _stop() -> None:
    raise _StopError


def test_packaged_crops_of_another_frame_are_said(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = CheckpointSource.__init__

    def boxed(self: CheckpointSource, file: Path) -> None:
        real(self, file)
        from dataclasses import replace

        self.description = replace(self.description, alignment=BoxCrop(height=224, width=224, margin=0.1))

    monkeypatch.setattr(CheckpointSource, "__init__", boxed)
    assert exported(checkpoint, None, tmp_path / "b", "--precision", "fp32,int8") == 0
    said = capsys.readouterr().err
    assert (
        "the packaged crops are framed for the packaged network and were scaled: alignment of this network"
        in said
    )
