"""The artifacts of a Jetson bundle as engines on a real GPU, against what they answered where the bundle was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeau.board import finish_bundle
from edgeau.errors import EdgeauError
from edgeau.runtimes.tensorrt.cuda import Cuda
from edgeau.runtimes.tensorrt.machine import this_machine
from edgeau.runtimes.tensorrt.module import import_tensorrt
from edgeau_export.export import export_bundle


@pytest.mark.tensorrt
def test_a_jetson_bundle_is_finished_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    try:
        this_machine(import_tensorrt(), Cuda())
    except EdgeauError as error:
        pytest.skip(f"no GPU with TensorRT: {error}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    export_bundle("jetson", tmp_path / "bundle")
    finished = finish_bundle(tmp_path / "bundle")
    rows = {row.file: row for row in finished.manifest.measured}
    assert rows["model.trt.fp16.onnx"].fault is None
    assert rows["model.trt.fp16.onnx"].max_abs_logit < 0.1
    assert rows["model.trt.int8.onnx"].fault is None
    assert finished.manifest.pending == ()
