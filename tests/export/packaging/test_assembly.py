"""Model files follow from half-precision checkpoints, and come back to the bit."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from edgeau.bundle import PACKAGED, packaged_bundle_path
from edgeau.errors import InputError
from edgeau_export.packaging.assembly import float_parts, int8_parts, litert_parts
from edgeau_export.packaging.half_weights import scaled_weights, with_half_weights

CHECKPOINTS = {"default": "mrpnet-default.fp16.safetensors", "light": "light.fp16.safetensors"}
ASSEMBLED = {
    "fp32.onnx": lambda bundle, root, name: float_parts(bundle, root / "weights" / CHECKPOINTS[name], root),
    "int8.onnx": lambda bundle, root, _: int8_parts(bundle, root),
    "int8.tflite": lambda bundle, root, _: litert_parts(bundle, root),
}


@pytest.fixture
def assembled(root: Path) -> Callable[..., bytes]:
    found: Callable[..., bytes] = runpy.run_path(str(root / "weights" / "assemble.py"))["assembled"]
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", ASSEMBLED)
@pytest.mark.parametrize("name", PACKAGED)
def test_the_tracked_parts_are_what_the_command_writes_today(name: str, target: str, root: Path) -> None:
    tracked = (root / "weights" / f"{name}.{target}.parts").read_bytes()
    assert ASSEMBLED[target](packaged_bundle_path(name), root, name) == tracked


def graph_of(weights: np.ndarray) -> onnx.ModelProto:
    made = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture
def folded(tmp_path: Path) -> tuple[onnx.ModelProto, Path]:
    """A convolution with a batch norm folded into it: channels of very different size, one of them dead, one turned round."""
    random = np.random.default_rng(0)
    halves = random.normal(0, 0.1, (8, 32, 3, 3)).astype(np.float16)
    halves[3] = 0
    scale = np.float32([1, 1e-6, 3e4, 1, -2, 0.3, 7e-4, 11]).reshape(-1, 1, 1, 1)
    save_file({"conv.weight": halves, "other.weight": -halves[::-1].copy()}, tmp_path / "half.safetensors")
    return graph_of(halves.astype(np.float32) * scale), tmp_path / "half.safetensors"


def test_each_channel_keeps_eleven_bits_whatever_its_size(folded: tuple[onnx.ModelProto, Path]) -> None:
    graph, checkpoint = folded
    (before,) = (numpy_helper.to_array(item) for item in graph.graph.initializer)
    (after,) = (
        numpy_helper.to_array(item) for item in with_half_weights(graph, checkpoint).graph.initializer
    )
    ((_, weight),) = scaled_weights(graph, checkpoint)
    assert weight.tensor == "conv.weight"
    largest = np.abs(before).max(axis=(1, 2, 3), keepdims=True)
    assert (np.abs(after - before) <= 2.0**-11 * largest).all()
    mantissa = after.view(np.uint32)
    assert not (mantissa & 0xFFF).any(), "the low bits are empty, so that a wheel compresses them"


def test_weights_that_were_rounded_are_found_again_to_the_bit(
    folded: tuple[onnx.ModelProto, Path], tmp_path: Path, assembled: Callable[..., bytes]
) -> None:
    graph, checkpoint = folded
    bundle = tmp_path / "edgeau" / "one"
    bundle.mkdir(parents=True)
    (bundle / "model.fp32.onnx").write_bytes(with_half_weights(graph, checkpoint).SerializeToString())
    parts = float_parts(bundle, checkpoint, tmp_path)
    whole = (bundle / "model.fp32.onnx").read_bytes()
    assert assembled(parts, tmp_path) == whole
    assert len(parts) < len(whole) / 4


def test_a_float_file_of_another_checkpoint_is_refused(
    folded: tuple[onnx.ModelProto, Path], tmp_path: Path
) -> None:
    _, checkpoint = folded
    other = np.random.default_rng(1).normal(0, 0.1, (8, 32, 3, 3)).astype(np.float32)
    (tmp_path / "model.fp32.onnx").write_bytes(graph_of(other).SerializeToString())
    with pytest.raises(InputError, match="does not hold the weights of"):
        float_parts(tmp_path, checkpoint, tmp_path)


def test_a_checkout_without_model_files_gets_them_and_one_that_has_them_is_left(
    root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root / "weights", tmp_path / "weights")
    assemble = runpy.run_path(str(tmp_path / "weights" / "assemble.py"))["assemble"]
    made = assemble(tmp_path, tmp_path / "built")
    assert {file.relative_to(tmp_path / "built").as_posix() for file in made} == {
        f"edgeau/{name}/model.{target}" for name in PACKAGED for target in ASSEMBLED
    }
    for file in made:
        assert file.read_bytes() == (root / file.relative_to(tmp_path / "built")).read_bytes()
    before = {file: file.stat().st_mtime_ns for file in made}
    made[0].write_bytes(b"damaged")
    assert assemble(tmp_path, tmp_path / "built") == made
    assert {file for file in made if file.stat().st_mtime_ns != before[file]} == {made[0]}
