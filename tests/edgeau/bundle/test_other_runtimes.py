"""Where OpenVINO is installed it runs the ONNX files of a bundle that has none for it: the real engine on the packaged default."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeau import AUDetector
from edgeau.bundle import PACKAGED, load_bundle, packaged_bundle_path
from edgeau.bundle.benchmark import time_artifacts
from edgeau.bundle.golden import read_golden, write_golden
from edgeau.bundle.verification import open_verified
from edgeau.errors import EngineError
from edgeau.runtimes.table import Runtime

pytest.importorskip("openvino")


def test_the_packaged_default_has_float_and_int8_for_it_and_not_a_file_more() -> None:
    bundle = load_bundle(packaged_bundle_path())
    found = bundle.artifacts("openvino")
    assert {a.precision for a in found} == {"fp32", "int8"}
    theirs = {a.file for a in bundle.manifest.artifacts if a.runtime == "onnxruntime"}
    assert {a.file for a in found} <= theirs
    # A file name is the file in the runtime that the manifest names.
    assert [a.runtime for a in bundle.artifacts("model.fp32.onnx")] == ["onnxruntime"]
    assert [a.runtime for a in bundle.artifacts("openvino/int8")] == ["openvino"]
    assert bundle.artifacts()[: len(bundle.manifest.artifacts)] == bundle.manifest.artifacts
    for one in bundle.artifacts():
        assert bundle.artifacts(bundle.name(one.file, one.runtime, one.precision))[0] == one


@pytest.mark.parametrize("name", PACKAGED)
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_gives_the_golden_answers_and_runs(
    precision: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # so that nothing is believed of an earlier load
    with AUDetector.load(name, artifact=f"openvino/{precision}", threads=1) as detector:
        assert detector.artifact.runtime == "openvino"
        assert detector.describe().engine == "openvino"
        height, width = detector.bundle.manifest.input.size
        crops = [np.full((height, width, 3), 128, np.uint8)] * 2
        assert detector.detect(crops).probabilities.shape == (2, 18)


def test_a_wrong_answer_is_refused(tmp_path: Path) -> None:
    """The golden answers of the file, moved: the engine is then the one that answers otherwise."""
    shutil.copytree(packaged_bundle_path(), tmp_path / "b")
    right = load_bundle(tmp_path / "b")
    golden = read_golden(right.path("golden.npz"))
    golden.answers["model.fp32.onnx"].logits[:] += 1
    write_golden(tmp_path / "b" / "golden.npz", golden)
    _record_anew(tmp_path / "b", "golden.npz")
    bundle = load_bundle(tmp_path / "b")
    (artifact,) = bundle.artifacts("openvino/fp32")
    with pytest.raises(EngineError, match="openvino.*answers wrongly on model.fp32.onnx"):
        open_verified(bundle, artifact, threads=1)


def _record_anew(folder: Path, name: str) -> None:
    from edgeau.bundle.files import record_of

    manifest = json.loads((folder / "manifest.json").read_text())
    record = record_of(folder, name)
    for item in manifest["files"]:
        if item["file"] == name:
            item.update(bytes=record.bytes, sha256=record.sha256)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_every_engine_is_timed_and_each_has_its_row() -> None:
    bundle = load_bundle(packaged_bundle_path())
    rows = time_artifacts(bundle, bundle.artifacts(), threads=(1,), seconds=0.5)
    assert len({(row.file, row.runtime) for row in rows}) == len(rows)
    assert {row.runtime for row in rows if row.fault is None} == {"onnxruntime", "litert", "openvino"}


def test_a_bundle_with_files_for_it_has_those_only(tmp_path: Path) -> None:
    shutil.copytree(packaged_bundle_path(), tmp_path / "b")
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    for item in manifest["artifacts"]:
        if item["file"] == "model.fp32.onnx":
            item["runtime"] = "openvino"
    (tmp_path / "b" / "manifest.json").write_text(json.dumps(manifest))
    assert [a.precision for a in load_bundle(tmp_path / "b").artifacts("openvino")] == ["fp32"]


def test_without_it_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "installed", lambda self: {})
    bundle = load_bundle(packaged_bundle_path())
    assert bundle.artifacts() == bundle.manifest.artifacts
    with pytest.raises(EngineError, match="no artifact for 'openvino'"):
        bundle.artifacts("openvino")
