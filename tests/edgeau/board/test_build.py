"""Finishing a bundle: what is measured, checked, put first, left out and recorded.

ONNX Runtime stands in for TensorRT here, which only a board has; the engine is not the point.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.board import build as finishing
from edgeau.board import finish_bundle
from edgeau.board.command import main
from edgeau.board.samples import SAMPLES, LabelledSamples, read_samples, write_samples
from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.benchmark import Timing
from edgeau.bundle.golden import Answer, Golden, write_golden
from edgeau.bundle.manifest import Calibration, Manifest, Measured, Pending
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import BundleError, DependencyError, EngineError
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session, table
from edgeau.runtimes.onnxruntime import OnnxRuntimeSession
from edgeau.runtimes.tensorrt.engines import remembered_options
from edgeau.runtimes.tensorrt.machine import Machine
from edgeau.runtimes.tensorrt.options import EngineOptions

FP16, INT8, FLOAT = "model.trt.fp16.onnx", "model.trt.int8.onnx", "model.fp32.onnx"
ORIN = Machine("10.3.0", "Orin", "8.7", "CUDA 12060")


@pytest.fixture
def jetson(
    tmp_path: Path, make_bundle: Callable[..., Path], crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A bundle with two artifacts for TensorRT and one for ONNX Runtime, on a machine that has both."""
    source = load_bundle(make_bundle("source", {FP16: 1, INT8: 1, FLOAT: None}))
    manifest = source.manifest
    batch = Preprocessor(manifest.input).batch(crops)
    with open_session("onnxruntime", source.path(FLOAT)) as session:
        logits = session.run(batch)
    kinds = {FP16: ("tensorrt", "fp16"), INT8: ("tensorrt", "int8"), FLOAT: ("onnxruntime", "fp32")}
    artifacts = [replace(a, runtime=kinds[a.file][0], precision=kinds[a.file][1]) for a in manifest.artifacts]
    out = tmp_path / "jetson"
    with BundleWriter(out) as writer:
        for artifact in artifacts:
            (writer.directory / artifact.file).write_bytes(source.path(artifact.file).read_bytes())
        answers = {artifact.file: Answer(logits, sigmoid(logits) >= 0.5) for artifact in artifacts}
        write_golden(writer.directory / manifest.golden, Golden(crops, answers))
        present = sigmoid(logits) >= 0.5
        samples = LabelledSamples(crops, present, "four crops", {"": logits, FP16: logits, INT8: logits})
        write_samples(writer.directory / SAMPLES, samples)
        pending = (Pending("engine", "not here", "edgeau finish ."),)
        writer.finish(replace(manifest, artifacts=tuple(artifacts), pending=pending, target="jetson-orin"))
    rows = dict(table.runtimes())
    rows["tensorrt"] = replace(rows["tensorrt"], session="edgeau.runtimes.onnxruntime:OnnxRuntimeSession")
    monkeypatch.setattr(table, "runtimes", lambda: rows)
    monkeypatch.setattr(finishing, "import_tensorrt", lambda: None)
    monkeypatch.setattr(finishing, "Cuda", lambda: None)
    monkeypatch.setattr(finishing, "this_machine", lambda trt, cuda: ORIN)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return out


def timed(monkeypatch: pytest.MonkeyPatch, **faults: str) -> None:
    """INT8 is the faster one; ``fp16=...`` or ``int8=...`` gives it a fault instead of a time."""

    def measure(bundle, engine, *, seconds):
        rows = [
            Timing(FP16, "tensorrt", "fp16", None, 3.0, 100),
            Timing(INT8, "tensorrt", "int8", None, 2.0, 100),
        ]
        return [
            replace(r, latency_ms=None, fault=faults[r.precision]) if r.precision in faults else r
            for r in rows
        ]

    monkeypatch.setattr(finishing, "time_artifacts", measure)


def test_everything_is_measured_and_recorded(jetson: Path):
    before = {file.name: file.read_bytes() for file in jetson.iterdir() if file.name != "manifest.json"}
    finished = finish_bundle(jetson)
    manifest = load_bundle(jetson).manifest
    assert manifest == finished.manifest
    assert manifest.pending == ()
    assert finished.whole
    assert {row.file for row in manifest.measured} == {FP16, INT8}
    for row in manifest.measured:
        assert row.machine == ORIN.to_dict()
        assert row.latency_ms is not None
        assert row.count == 4
        assert row.decision_flips == 0
        assert row.max_abs_logit < 1e-3
        assert row.f1_mean == pytest.approx(1)
        assert row.f1_drop_mean == pytest.approx(0)
        assert row.fault is None
    assert {
        file.name: file.read_bytes() for file in jetson.iterdir() if file.name != "manifest.json"
    } == before


def test_the_fastest_comes_first_and_other_runtimes_stay_behind(
    jetson: Path, monkeypatch: pytest.MonkeyPatch
):
    timed(monkeypatch)
    finished = finish_bundle(jetson)
    assert [artifact.file for artifact in finished.manifest.artifacts] == [INT8, FP16, FLOAT]
    assert finished.chosen.file == INT8


def test_an_artifact_that_does_not_run_is_left_out_and_says_why(
    jetson: Path, monkeypatch: pytest.MonkeyPatch
):
    timed(monkeypatch, int8="answers wrongly")
    finished = finish_bundle(jetson)
    assert [artifact.file for artifact in finished.manifest.artifacts] == [FP16, FLOAT]
    assert not finished.whole
    (row,) = (row for row in finished.manifest.measured if row.file == INT8)
    assert (row.latency_ms, row.fault) == (None, "answers wrongly")
    assert load_bundle(jetson).manifest == finished.manifest


def test_nothing_that_runs_is_an_error_and_leaves_the_bundle(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    timed(monkeypatch, int8="answers wrongly", fp16="no memory left")
    before = (jetson / "manifest.json").read_bytes()
    with pytest.raises(EngineError, match="fp16.onnx: no memory left; model.trt.int8.onnx: answers wrongly"):
        finish_bundle(jetson)
    assert (jetson / "manifest.json").read_bytes() == before


class Blurred(OnnxRuntimeSession):
    """Answers the golden crops rightly and misses what is there in the samples."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        return super().run(batch) if len(batch) > 1 else super().run(batch) - 1.5


def test_an_artifact_that_loses_too_much_f1_is_left_out(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    timed(monkeypatch)

    def open_verified(bundle, artifact):
        return (Blurred if artifact.file == INT8 else OnnxRuntimeSession)(bundle.path(artifact.file))

    monkeypatch.setattr(finishing, "open_verified", open_verified)
    finished = finish_bundle(jetson)
    assert [artifact.file for artifact in finished.manifest.artifacts] == [FP16, FLOAT]
    (row,) = (row for row in finished.manifest.measured if row.file == INT8)
    assert row.fault is not None
    assert "below that of the float network on 4 samples, allowed is 0.01" in row.fault
    assert row.f1_drop_mean > 0.01
    assert row.decision_flips > 0
    assert row.max_abs_logit == pytest.approx(1.5, abs=1e-3)


def test_the_float_network_is_measured_at_its_own_thresholds(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    """Those of INT8 were fitted again; at them the float network would look worse than it is, and hide the loss."""
    timed(monkeypatch)
    monkeypatch.setattr(
        finishing, "open_verified", lambda bundle, artifact: OnnxRuntimeSession(bundle.path(artifact.file))
    )
    manifest = load_bundle(jetson).manifest
    record = Calibration("0" * 64, 4, "crops", "symmetric")
    artifacts = tuple(
        replace(item, calibration=record, thresholds=dict.fromkeys(manifest.labels, 0.999))
        if item.file == INT8
        else item
        for item in manifest.artifacts
    )
    text = json.dumps(replace(manifest, artifacts=artifacts).to_dict())
    (jetson / "manifest.json").write_text(text)
    (row,) = (row for row in finish_bundle(jetson).manifest.measured if row.file == INT8)
    assert row.f1_mean < 0.5
    assert row.f1_drop_mean == pytest.approx(1 - row.f1_mean)
    assert "below that of the float network" in row.fault


def test_more_loss_may_be_allowed(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    timed(monkeypatch)
    monkeypatch.setattr(
        finishing, "open_verified", lambda bundle, artifact: Blurred(bundle.path(artifact.file))
    )
    assert finish_bundle(jetson, max_f1_drop=1.0).chosen.file == INT8


def test_a_second_time_measures_anew(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    timed(monkeypatch)
    first = finish_bundle(jetson)
    assert finish_bundle(jetson).manifest == first.manifest


def test_options_are_there_for_the_sessions_to_come(jetson: Path, monkeypatch: pytest.MonkeyPatch):
    timed(monkeypatch)
    options = EngineOptions(workspace_mib=128, dla_core=1)
    finish_bundle(jetson, options)
    assert remembered_options(jetson / INT8) == options


def test_a_bundle_without_samples_is_timed_and_held_to_the_golden_answers(
    jetson: Path, monkeypatch: pytest.MonkeyPatch
):
    manifest = load_bundle(jetson).manifest
    (jetson / SAMPLES).unlink()
    files = tuple(record for record in manifest.files if record.file != SAMPLES)
    (jetson / "manifest.json").write_text(json.dumps(replace(manifest, files=files).to_dict()))
    finished = finish_bundle(jetson)
    assert all(
        row.count == 0 and row.f1_mean is None and row.fault is None for row in finished.manifest.measured
    )


def test_a_bundle_for_another_target(bundle_path: Path):
    with pytest.raises(
        BundleError, match="has nothing for TensorRT: it was made for cpu; export one with --target jetson"
    ):
        finish_bundle(bundle_path)


def test_damaged_samples_are_named(tmp_path: Path):
    (tmp_path / SAMPLES).write_bytes(b"PK")
    with pytest.raises(BundleError, match="holds no samples"):
        read_samples(tmp_path / SAMPLES)


def test_samples_come_back_as_written(tmp_path: Path):
    samples = LabelledSamples(
        np.zeros((2, 4, 4, 3), np.uint8), np.eye(2, dtype=bool), "two", {"": np.ones((2, 2), np.float32)}
    )
    write_samples(tmp_path / SAMPLES, samples)
    again = read_samples(tmp_path / SAMPLES)
    assert again.source == "two"
    np.testing.assert_array_equal(again.present, samples.present)
    np.testing.assert_array_equal(again.logits[""], samples.logits[""])


def test_the_command_prints_lines_or_one_document(jetson: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(jetson)]) == 0
    printed = capsys.readouterr().out
    assert "0.00% of decisions differ from where it was made (4 samples), F1 1.000" in printed
    assert "this machine runs model.trt." in printed
    assert main([str(jetson), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["file"] for row in document["measured"]} == {FP16, INT8}
    assert document["chosen"] in (FP16, INT8)


def test_an_artifact_left_out_ends_in_part(
    jetson: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    timed(monkeypatch, int8="no fast INT8")
    assert main([str(jetson)]) == 1
    assert "model.trt.int8.onnx: not used: no fast INT8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--device", "tpu"], "it has gpu, and dla:0 or dla:1"),
        (["--level", "9"], "TensorRT has 0 to 5"),
        (["--workspace", "0"], "workspace of 0 MiB"),
        (["--max-f1-drop", "nan"], "must be a drop of F1"),
        (["--level", "x"], "invalid int value"),
    ],
)
def test_arguments_that_do_not_fit(
    jetson: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert main([str(jetson), *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_no_tensorrt_is_one_line_before_anything_is_built(
    jetson: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def missing() -> None:
        raise DependencyError("TensorRT cannot be imported")

    monkeypatch.setattr(finishing, "import_tensorrt", missing)
    assert main([str(jetson)]) == 2
    assert capsys.readouterr().err == "edgeau-finish: TensorRT cannot be imported\n"


def test_the_record_reads_back(jetson: Path):
    manifest = load_bundle(jetson).manifest
    row = Measured(FP16, "tensorrt 10.3.0 (Orin)", ORIN.to_dict(), 2.5, 4, 0.1, 0.0, 0.9, 0.01)
    recorded = replace(manifest, measured=(row,))
    assert Manifest.from_dict(json.loads(json.dumps(recorded.to_dict()))) == recorded
