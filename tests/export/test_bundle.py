"""What an export leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from edgeau._system.file_digest import file_digest
from edgeau.bundle import load_bundle
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.manifest import Manifest
from edgeau.runtimes import open_session
from edgeau_export.export import export_bundle
from edgeau_export.targets.target import load_target


def test_the_manifest_says_which_file_was_exported(seeded_bundle: Path, checkpoint: Path) -> None:
    provenance = load_bundle(seeded_bundle).manifest.network.provenance
    assert provenance is not None
    assert provenance.weights == file_digest(checkpoint)


def test_the_bundle_verifies_and_says_that_it_is_untrained(seeded_bundle: Path, manifest: Manifest) -> None:
    assert manifest.target == "cpu"
    assert manifest.network.title == "MRP-Net (reconstruction)"
    assert not manifest.network.trained
    assert "UNTRAINED" in (seeded_bundle / "report.md").read_text()
    assert {"torch", "onnx", "onnxruntime", "matplotlib", "edgeau"} <= manifest.tools.keys()
    assert {record.file for record in manifest.files} == {
        "golden.npz",
        "landmarks/NOTICE.txt",
        "landmarks/face_detection_short_range.tflite",
        "landmarks/face_landmark_with_attention.tflite",
        "model.fp32.b1.onnx",
        "model.fp32.onnx",
        "model.int8.onnx",
        "model.int8.tflite",
        "report.html",
        "report.json",
        "report.md",
    }


def test_artifacts_stand_in_the_order_of_the_target(manifest: Manifest) -> None:
    assert [(item.file, item.precision, item.batch) for item in manifest.artifacts] == [
        ("model.fp32.onnx", "fp32", None),
        ("model.fp32.b1.onnx", "fp32", 1),
        ("model.int8.onnx", "int8", None),
        ("model.int8.tflite", "int8", 1),
    ]


def test_float_artifacts_passed_the_gate_against_torch_on_faces(manifest: Manifest) -> None:
    for artifact in manifest.artifacts[:2]:
        parity = artifact.parity
        assert parity is not None
        assert parity.reference == "torch in float64"
        assert parity.inputs == "6 face crops"
        assert parity.count == 6
        assert parity.tolerance is not None
        assert parity.tolerance < 1e-4, "what float32 can promise of a tiny network is more than that"
        assert parity.max_abs_logit <= parity.tolerance
        assert parity.decision_flips == 0


def test_int8_says_what_it_cost_and_what_it_was_calibrated_on(manifest: Manifest) -> None:
    artifact = manifest.artifacts[2]
    assert artifact.parity is not None
    assert artifact.calibration is not None
    assert artifact.parity.tolerance is None
    assert artifact.parity.inputs == "6 crops held out of faces.npz"
    assert 0 < artifact.parity.mean_abs_logit <= artifact.parity.max_abs_logit
    assert (artifact.calibration.count, artifact.calibration.recipe) == (14, "robust")
    assert (
        artifact.bytes < 0.5 * manifest.artifacts[0].bytes
    )  # names and scales weigh on a network this small


def test_golden_answers_are_those_of_the_runtime(seeded_bundle: Path, manifest: Manifest) -> None:
    golden = read_golden(seeded_bundle / manifest.golden)
    assert golden.crops.shape == (8, 224, 224, 3)
    assert set(golden.answers) == {artifact.file for artifact in manifest.artifacts}
    for artifact in manifest.artifacts:
        with open_session(artifact.runtime, seeded_bundle / artifact.file) as session:
            check_golden(golden, artifact, session, manifest.input, manifest.labels)


def test_onnx_files_are_whole_named_and_described(seeded_bundle: Path, manifest: Manifest) -> None:
    for artifact in (item for item in manifest.artifacts if item.runtime == "onnxruntime"):
        model = onnx.load(seeded_bundle / artifact.file, load_external_data=False)
        onnx.checker.check_model(model, full_check=True)
        assert all(item.data_location == 0 for item in model.graph.initializer), "weights are inside"
        assert [item.name for item in model.graph.input] == ["input"]
        assert [item.name for item in model.graph.output] == ["logits"]
        assert max(item.version for item in model.opset_import if item.domain == "") == 17
        said = {item.key: item.value for item in model.metadata_props}
        assert json.loads(said["labels"]) == list(manifest.labels)
        assert json.loads(said["trained"]) is False
        assert json.loads(said["input"])["color"] == "RGB"
        assert json.loads(said["alignment"])["size"] == 224
        assert "reconstruction" in said["network"]


@pytest.mark.parametrize(("file", "batch"), [("model.fp32.onnx", "batch"), ("model.fp32.b1.onnx", 1)])
def test_the_batch_is_as_the_manifest_says(seeded_bundle: Path, file: str, batch: str | int) -> None:
    session = onnxruntime.InferenceSession(seeded_bundle / file, providers=["CPUExecutionProvider"])
    (entry,), (answer,) = session.get_inputs(), session.get_outputs()
    assert entry.shape == [batch, 3, 224, 224]
    assert answer.shape == [batch, 12]


def test_the_graph_is_simplified(seeded_bundle: Path) -> None:
    kinds = {node.op_type for node in onnx.load(seeded_bundle / "model.fp32.onnx").graph.node}
    assert not kinds & {"Identity", "Constant", "BatchNormalization", "Dropout"}


def test_the_report_has_every_artifact_with_its_cost(seeded_bundle: Path, manifest: Manifest) -> None:
    text = (seeded_bundle / "report.md").read_text()
    for artifact in manifest.artifacts:
        assert artifact.parity is not None
        (row,) = (line for line in text.splitlines() if line.startswith(f"| {artifact.file} |"))
        assert f"{artifact.bytes / 1e6:.1f}" in row
        assert f"{artifact.parity.decision_flips:.2%}" in row


def test_the_same_export_gives_the_same_answers_and_digests(
    tmp_path: Path, checkpoint: Path, calib: Path, manifest: Manifest
) -> None:
    again = export_bundle("cpu", tmp_path / "again", checkpoint, calib)
    assert [item.sha256 for item in again.artifacts] == [item.sha256 for item in manifest.artifacts]


def test_a_jetson_bundle_names_what_only_the_board_can_do(
    tmp_path: Path, checkpoint: Path, calib: Path
) -> None:
    manifest = export_bundle("jetson", tmp_path / "jetson", checkpoint, calib)
    assert manifest.target == "jetson-orin"
    assert {artifact.file for artifact in manifest.artifacts if artifact.runtime == "tensorrt"} == {
        "model.trt.fp16.onnx",
        "model.trt.int8.onnx",
    }, "no engine is pretended"
    assert {stage.command for stage in manifest.pending} == {"edgeau finish ."}
    assert [stage.precision for stage in load_target("jetson").pending] == ["fp16", "int8"]
    # TensorRT is not here: its figures were computed elsewhere, and say where.
    for artifact in manifest.artifacts:
        assert artifact.parity is not None
        assert artifact.parity.engine == f"ONNX Runtime {onnxruntime.__version__}, CPUExecutionProvider"
    assert all("board" in stage.reason for stage in manifest.pending)
    caches = [path.name for path in (tmp_path / "jetson").glob("*.cache")]
    assert caches == ["model.trt.int8.calibration.cache"], (
        "named after its artifact, of which a target may have several"
    )
    model = onnx.load(tmp_path / "jetson" / "model.trt.int8.onnx")
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    text = (tmp_path / "jetson" / "report.md").read_text()
    (row,) = (line for line in text.splitlines() if "| model.trt.int8.onnx | tensorrt" in line)
    assert "| ONNX Runtime" in row
    assert "ONNX Runtime" in (tmp_path / "jetson" / "report.html").read_text()
    assert all(stage.command in text for stage in manifest.pending)


def test_a_bundle_that_was_there_is_replaced_whole(tmp_path: Path, checkpoint: Path) -> None:
    out = tmp_path / "bundle"
    export_bundle("cpu", out, checkpoint, precisions=("fp32",))
    old = {entry.name for entry in out.iterdir()}
    manifest = export_bundle("raspberrypi4", out, checkpoint, precisions=("fp32",))
    assert manifest.target == "raspberrypi4"
    assert load_bundle(out).manifest == manifest
    assert {entry.name for entry in out.iterdir()} != old
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]


def test_random_golden_crops_serve_where_there_are_no_faces(
    tmp_path: Path, checkpoint: Path, nothing_packaged: None
) -> None:
    manifest = export_bundle("cpu", tmp_path / "b", checkpoint, precisions=("fp32",))
    crops = read_golden(tmp_path / "b" / manifest.golden).crops
    assert np.ptp(crops) == 255
    assert manifest.artifacts[0].parity is not None
    assert manifest.artifacts[0].parity.inputs == "8 random inputs"


def test_a_user_s_faces_do_not_travel_when_packaged_ones_can(
    tmp_path: Path, checkpoint: Path, packaged: Path, persons_crops: np.ndarray
) -> None:
    folder = tmp_path / "mine.npz"
    np.savez(folder, crops=persons_crops[::8, :, ::-1])
    manifest = export_bundle("cpu", tmp_path / "b", checkpoint, folder, ("fp32",))
    crops = read_golden(tmp_path / "b" / manifest.golden).crops
    np.testing.assert_array_equal(crops, read_golden(packaged / "golden.npz").crops)
