"""The packaged default answers as it did when its weights were packaged, whatever is changed around it (docs/decisions/same-answers.md).

The digests are of the weights of 2026-11-29; the landmark model and the calibration crops are older. Fusion and fused thresholds are fitted anew from time to
time and are not pinned.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.errors import BundleError
from edgeau.runtimes import open_session

FILES = {
    "model.fp32.onnx": "693f0546d157243af2657fa74db92056c0262a1bc60c0629afe8cf0c76d55614",
    "model.int8.onnx": "b8ac6e2f3b2d65956cc2e366e9c77a60678cdb30decd95c32e3e83251e0e1590",
    "calibration.npz": "cf7d129267e6aeedd05db3850d1dab959e2ff3d62ae5e5a4fee9dfaeb817db61",
    "int8_front.json": "aae9e62296e20b91b2a787e0ffa7f279a9e8a7ed2d9cc9a89adf21c8e4687449",
}
GOLDEN = {
    "crops": "48e0a21eb62920035a1382ecac1ee8cc76762c5384ed44d2041d6ddd64418be3",
    "model.fp32.onnx logits": "23bb44680239f4f674c0af76f066ede22c3ab19d11dfaec590f99a216b553f6a",
    "model.fp32.onnx decisions": "4af2bf7cda84dc8f696609fcadad1005feeca017d624be6539c9e187db5b5521",
    "model.int8.onnx logits": "55b0e877a12f23e6c17668e1a43a4dd515b2b3a0454e8af8c2c3f7f64e6d280b",
    "model.int8.onnx decisions": "7bc6e0be278e106ea8f4c480811e8635cfa1fa54e15808241476c1f27f47f139",
}
THRESHOLDS = {
    "model.fp32.onnx": "b33c54e409d135ed243822b544017de84537fe5cd98bb98f3add0a8c543c02c7",
    "model.int8.onnx": "f7ea6d920c4f60e1d197c1809955c8e3e2a34f2e60101a330e04089af164272f",
}
TENSORRT = "b2cc01f504acbf36bf24ac5a387dead968e58f32b4f372361a7c5d85b850e0f2"
LANDMARKS = "9ab5d98199b62671c841eb09e7d4e341f23c836572b75b973d3bf61c5280c992"
ADDED = {"info"}


@pytest.fixture(scope="module")
def packaged() -> Path:
    try:
        return packaged_bundle_path()
    except BundleError:
        pytest.skip("this checkout carries no default bundle")


def digest(array: np.ndarray) -> str:
    """SHA-256 of type, shape and bytes."""
    state = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def digest_of_all(file: Path, *, without: set[str], prefix: str = "") -> str:
    """The same of the arrays of an ``.npz`` file, by name."""
    with np.load(file) as arrays:
        names = sorted(
            name for name in arrays.files if name not in without and not (prefix and name.startswith(prefix))
        )
        return hashlib.sha256(
            "".join(f"{name} {digest(arrays[name])}\n" for name in names).encode()
        ).hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_the_network_are_those_that_were_released(packaged: Path, name: str) -> None:
    assert hashlib.sha256((packaged / name).read_bytes()).hexdigest() == FILES[name]


def test_the_golden_answers_are_those_that_were_released(packaged: Path) -> None:
    golden = read_golden(packaged / "golden.npz")
    found = {"crops": digest(golden.crops)}
    for file in ("model.fp32.onnx", "model.int8.onnx"):
        found |= {
            f"{file} logits": digest(golden.answers[file].logits),
            f"{file} decisions": digest(golden.answers[file].decisions),
        }
    assert found == GOLDEN


def test_the_thresholds_of_the_network_are_those_that_were_released(packaged: Path) -> None:
    artifacts = {item.file: item for item in load_bundle(packaged).manifest.artifacts}
    found = {
        file: hashlib.sha256(json.dumps(artifacts[file].thresholds, sort_keys=True).encode()).hexdigest()
        for file in THRESHOLDS
    }
    assert found == THRESHOLDS


def test_the_integers_and_scales_for_tensorrt_are_those_that_were_released(packaged: Path) -> None:
    assert digest_of_all(packaged / "tensorrt_int8.npz", without={"about"}) == TENSORRT


def test_the_weights_of_the_landmark_model_are_those_that_were_released(packaged: Path) -> None:
    """Left and right came beside them."""
    assert digest_of_all(packaged / "landmark_model.npz", without=ADDED, prefix="sides_") == LANDMARKS


@pytest.mark.parametrize("file", ["model.fp32.onnx", "model.int8.onnx"])
def test_the_engine_of_today_gives_the_released_answers(packaged: Path, file: str) -> None:
    """Within the tolerance of its precision, since engines and processors round differently."""
    bundle = load_bundle(packaged)
    artifact = next(item for item in bundle.manifest.artifacts if item.file == file)
    with open_session("onnxruntime", bundle.path(file)) as session:
        check_golden(
            read_golden(packaged / "golden.npz"),
            artifact,
            session,
            bundle.manifest.input,
            bundle.manifest.labels,
        )
