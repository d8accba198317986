"""The packaged default answers as it did when its weights were packaged, whatever is changed around it (docs/decisions/same-answers.md).

The digests are of the weights of 2026-11-30; the landmark model and the calibration crops are older. Fusion and fused thresholds are fitted anew from time to
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
    "model.fp32.onnx": "558703f71e00865c64ef8eedf81d31300126c1ea209d83cad11f6af9b3ddf365",
    "model.int8.onnx": "b2b642764ea5a7d4b650ebf4a630cc9622e43d86cf486da7513b70954259462f",
    "calibration.npz": "cf7d129267e6aeedd05db3850d1dab959e2ff3d62ae5e5a4fee9dfaeb817db61",
    "int8_front.json": "5d3a412ea0e3968d4f240f6461b6eda2176b44cdeec4da81011e3c5d3875cd14",
}
GOLDEN = {
    "crops": "582dcfa233c7bef4fc871d69e97bf19bfd43424ffdc2870abe20ed6e5f37b64c",
    "model.fp32.onnx logits": "376d80b3fcbdb3c5e0a59f79f10d71a6bed3a2089d606a92da87c86a2707583c",
    "model.fp32.onnx decisions": "30e5cb5e0c5e9acb5005dc711fc5060e24567f2dc88a36398e97b62a889effbd",
    "model.int8.onnx logits": "85a793b34661a42c98ae2ff19419adbe0480bea132b9f72116bc14e3538c5e98",
    "model.int8.onnx decisions": "2dd9b13ad43c0e1caf4b51ec67948894c101efa6f816eab50afbcc63188ea64f",
}
THRESHOLDS = {
    "model.fp32.onnx": "7c4be2385b08e9ce49623a891b13782ea01b418c054416e7e4c2632ed2353895",
    "model.int8.onnx": "109236114ccb4be6a710408937abe75ce4f8b652940783ed800ade19a4225a87",
}
TENSORRT = "0722b11fe233337188524a3d06837423e45709d55a5156cc2737f42274617490"
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
