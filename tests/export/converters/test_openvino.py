from __future__ import annotations

from pathlib import Path

import pytest

from edgeau import AUDetector
from edgeau.bundle import load_bundle
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.runtimes import open_session
from edgeau_export.export import export_bundle

pytest.importorskip("openvino", reason="pip install 'edgeau[openvino]'")


@pytest.fixture(scope="module")
def intel_bundle(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, calib: Path) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "intel"
    export_bundle("intel", out, checkpoint, calib)
    return out


def test_openvino_itself_computed_parity_and_golden_answers(intel_bundle: Path) -> None:
    bundle = load_bundle(intel_bundle)
    manifest = bundle.manifest
    assert [(item.runtime, item.precision) for item in manifest.artifacts] == [
        ("openvino", "fp32"),
        ("openvino", "int8"),
        ("onnxruntime", "fp32"),
    ]
    golden = read_golden(bundle.path(manifest.golden))
    for artifact in manifest.artifacts[:2]:
        assert artifact.parity is not None
        assert artifact.parity.engine.startswith("OpenVINO 20")
        with open_session("openvino", bundle.path(artifact.file), threads=1) as session:
            check_golden(golden, artifact, session, manifest.input, manifest.labels)
    assert manifest.artifacts[0].parity.decision_flips == 0
    assert "openvino" in manifest.tools


def test_a_detector_runs_it(intel_bundle: Path) -> None:
    with AUDetector.load(intel_bundle, artifact="openvino", threads=1) as detector:
        assert detector.artifact.runtime == "openvino"
