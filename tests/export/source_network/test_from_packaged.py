"""The packaged default is exported without torch."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.bundle import load_bundle
from edgeau.bundle.golden import Golden, read_golden, write_golden
from edgeau.errors import BundleError, GateRefusedError
from edgeau_export.export import export_bundle
from edgeau_export.targets.target import load_target

WITHOUT_TORCH = """
import sys
from pathlib import Path

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "safetensors", "onnxslim", "edgeau_training"):
            raise ImportError(f"{name} is not here", name=name)

sys.meta_path.insert(0, Refuse())
import edgeau_calibration.data.load, edgeau_export.quantization.face_crops, edgeau_export.source_network.from_packaged
for module in (edgeau_calibration.data.load, edgeau_export.quantization.face_crops, edgeau_export.source_network.from_packaged):
    module.packaged_bundle_path = lambda *_: Path(sys.argv[1])
from edgeau_export.command import main
sys.exit(main(sys.argv[2:]))
"""


def without_torch(default: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(default), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_default_is_exported_where_torch_cannot_be_imported(tmp_path: Path, default_bundle: Path) -> None:
    done = without_torch(default_bundle, "--target", "raspberrypi", "--out", str(tmp_path / "bundle"))
    assert done.returncode == 0, done.stderr
    assert "no --calib: INT8 is calibrated on the packaged synthetic calibration crops" in done.stderr
    assert "UNTRAINED" not in done.stderr + done.stdout
    manifest = load_bundle(tmp_path / "bundle").manifest
    source = load_bundle(default_bundle).manifest
    assert [item.file for item in manifest.artifacts] == [
        item.file for item in load_target("raspberrypi").artifact
    ]
    assert "torch" not in manifest.tools
    for field in (
        "network",
        "labels",
        "input",
        "alignment",
        "experimental",
        "fusion",
        "landmark_model",
    ):
        assert getattr(manifest, field) == getattr(source, field), field
    # The landmark networks that travel along have a licence of their own.
    assert manifest.licences[: len(source.licences)] == source.licences
    for artifact in manifest.artifacts:
        assert artifact.thresholds == source.artifacts[0].thresholds
        assert artifact.fused_thresholds == source.artifacts[0].fused_thresholds
    assert (tmp_path / "bundle" / "landmark_model.npz").read_bytes() == (
        default_bundle / "landmark_model.npz"
    ).read_bytes()


def test_a_checkpoint_without_torch_says_what_to_install(
    tmp_path: Path, default_bundle: Path, checkpoint: Path
) -> None:
    arguments = ("--model", str(checkpoint), "--target", "cpu", "--out", str(tmp_path / "bundle"))
    done = without_torch(default_bundle, *arguments)
    assert done.returncode == 2
    assert "pip install 'edgeau[export,train]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_float_artifacts_are_held_against_the_packaged_golden_answers(tmp_path: Path, packaged: Path) -> None:
    manifest = export_bundle("cpu", tmp_path / "b", precisions=("fp32",))
    for artifact in manifest.artifacts:
        assert artifact.parity is not None
        assert artifact.parity.reference == "the packaged default's golden answers"
        assert artifact.parity.tolerance == pytest.approx(1e-3)
        assert artifact.parity.max_abs_logit <= 1e-3


def test_a_machine_that_answers_otherwise_is_refused(
    tmp_path: Path, default_bundle: Path, packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = read_golden(default_bundle / "golden.npz")
    answers = dict(golden.answers)
    answer = answers["model.fp32.onnx"]
    moved = answer.logits.copy()
    moved[3, 5] += 0.01
    answers["model.fp32.onnx"] = type(answer)(moved, answer.decisions)
    other = tmp_path / "golden.npz"
    write_golden(other, Golden(golden.crops, answers))
    monkeypatch.setattr(
        "edgeau_export.source_network.from_packaged.read_golden", lambda _: read_golden(other)
    )
    with pytest.raises(
        GateRefusedError, match=r"differ from the packaged default's golden answers by up to 0\.01"
    ):
        export_bundle("cpu", tmp_path / "b", precisions=("fp32",))
    assert not (tmp_path / "b").exists()


def test_without_a_default_the_error_names_the_checkpoint(tmp_path: Path, nothing_packaged: None) -> None:
    with pytest.raises(BundleError, match=r"carries no default bundle.*pass --model FILE"):
        export_bundle("cpu", tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_an_older_operator_set_than_packaged_is_refused(tmp_path: Path, packaged: Path) -> None:
    text = (files("edgeau_export.targets") / "cpu.toml").read_text("utf-8")
    (tmp_path / "old.toml").write_text(text.replace("opset = 17", "opset = 13"))
    with pytest.raises(BundleError, match="opset 17, this target reads up to 13"):
        export_bundle(str(tmp_path / "old.toml"), tmp_path / "b")


def test_the_fixed_batch_has_known_shapes_everywhere(tmp_path: Path, packaged: Path) -> None:
    export_bundle("cpu", tmp_path / "b", precisions=("fp32",))
    model = onnx.load(tmp_path / "b" / "model.fp32.b1.onnx")
    for tensor in (*model.graph.value_info, *model.graph.output):
        assert all(dim.HasField("dim_value") for dim in tensor.type.tensor_type.shape.dim), tensor.name
    assert (
        np.prod([dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]) == 3 * 224 * 224
    )
