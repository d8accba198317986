"""The packaged default answers as it did before the rooms were redrawn (docs/decisions/same-answers.md).

The digests are of the files of commit 39be320 (2026-11-21). Fusion and fused thresholds were changed on purpose and are not pinned.
The float file, its golden answers and the differences from it for TensorRT are of 2026-11-28, since its weights have 11 bits
(docs/decisions/weights-once.md): logits moved by at most 0.0125, one decision of 144 turned over.
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
    "model.fp32.onnx": "5456bbfa127574c0d451f118e09a3314773d5fae0ee403d1266a21b6f4b46bf5",
    "model.int8.onnx": "e0d726afd4fc0b4458576a7eb1113f67af1247959edf72d6c13add505e4c6ea1",
    "calibration.npz": "cf7d129267e6aeedd05db3850d1dab959e2ff3d62ae5e5a4fee9dfaeb817db61",
    "int8_front.json": "479365a444b15f59cbfefa645515d4000c699f443d6a7508c59b9ae276cb238a",
}
GOLDEN = {
    "crops": "21db6beacc7b7fc7316b3f232b38ac82bdc83e977ce4329eb303fcafbbf94f1f",
    "model.fp32.onnx logits": "867c2e5550275165075f1ea0478d2b3167be3cbcc81c3bf391913e771ab7a2da",
    "model.fp32.onnx decisions": "a5377b8a259d3697e871260e299129efa0db9ad83931f63f82536df0ad0a42e8",
    "model.int8.onnx logits": "b634618a9602b422a3f9368318c809d84544c4ab9bbf93f19f588a137f6e6be5",
    "model.int8.onnx decisions": "be6041d74034938a7b7fab559e27d5183e862d5d45f67292090e4fced36b227a",
}
THRESHOLDS = {
    "model.fp32.onnx": "82990a87d2a6f21f9a9d7db3726c1165951a838161bdb7f48c61e1582c6cdf6b",
    "model.int8.onnx": "1354dd56c5c9503b03ddc62af6cf3169d92a32226bfa88dc674a7dbcf61f7d5b",
}
TENSORRT = "21ebe963bc404772f7052691da9f09b8d319a2ad5d40b44440ed19f17c937af8"
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
