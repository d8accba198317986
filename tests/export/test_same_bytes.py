"""An export with INT8, made twice: every file has the same bytes, save the one that holds measured times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeau.action_units.names import BP4D
from edgeau.bundle import load_bundle
from edgeau.bundle.files import TIMES
from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from tests.export.conftest import OPTIONS, lively

# Every kind of quantized file, by a recipe that learns weights and by one that corrects biases.
TARGET = """name = "all"
title = "INT8 in every form"
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
recipe = "robust"
[[artifact]]
file = "model.int8.tflite"
runtime = "litert"
precision = "int8"
batch = 1
recipe = "quick"
[[artifact]]
file = "model.trt.int8.onnx"
runtime = "tensorrt"
precision = "int8"
batch = 1
recipe = "quick-symmetric"
"""


@pytest.fixture
def trained_checkpoint(tmp_path: Path, face_crops: np.ndarray) -> Path:
    """The tiny network, which says that it was trained."""
    info = CheckpointInfo("mrpnet", BP4D, OPTIONS, trained=True, training="a stand-in for tests")
    save_checkpoint(tmp_path / "trained.safetensors", lively(0, face_crops), info)
    return tmp_path / "trained.safetensors"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_int8_made_twice_is_the_same_to_the_byte(
    tmp_path: Path, trained_checkpoint: Path, calib: Path
) -> None:
    """In processes of their own, which order sets of names differently; of a trained network, whose INT8 is searched for and timed."""
    (tmp_path / "all.toml").write_text(TARGET)
    made = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        line = [
            "--model",
            str(trained_checkpoint),
            "--target",
            str(tmp_path / "all.toml"),
            "--calib",
            str(calib),
        ]
        line += ["--calib-accept", "one-person,near-duplicates,inactive-aus", "--max-f1-drop", "1"]
        subprocess.run(
            [sys.executable, "-m", "edgeau_export.command", *line, "--landmarks", "none", "--out", str(out)],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
        )
        made.append(_files(out))
    first, second = made
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name] and name != TIMES] == []
    assert TIMES in first
    manifest = load_bundle(tmp_path / "1").manifest
    assert {(item.runtime, item.precision) for item in manifest.artifacts} == {
        ("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("litert", "int8"), ("tensorrt", "int8"),
    }  # fmt: skip
