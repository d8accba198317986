"""Every file that weights lie in: found by one place, and covered by the digest that a manifest keeps of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

from edgeau._system.file_digest import file_digest
from edgeau.bundle.manifest import InputSpec
from edgeau.errors import CheckpointError
from edgeau.faces.alignment import WholePicture
from edgeau_export.source_network.model_file import DescribedModel
from edgeau_export.source_network.weight_files import weight_files, weights_bytes, weights_digest


def sharded(folder: Path) -> Path:
    for number in (1, 2):
        safetensors.numpy.save_file(
            {f"w{number}": np.full(3, number, np.float32)}, folder / f"m-{number}-of-2.safetensors"
        )
    index = folder / "m.safetensors.index.json"
    places = {f"w{number}": f"m-{number}-of-2.safetensors" for number in (1, 2)}
    index.write_text(json.dumps({"weight_map": places}))
    return index


def beside(folder: Path) -> Path:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64])],
        [numpy_helper.from_array(np.ones((64, 64), np.float32), "w")],
    )
    file = folder / "m.onnx"
    onnx.save_model(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        file,
        save_as_external_data=True,
        location="m.data",
        size_threshold=0,
    )
    return file


def described(weights: Path) -> DescribedModel:
    spec = InputSpec(size=(8, 8), color="RGB", mean=(0.0,) * 3, std=(1.0,) * 3)
    return DescribedModel(weights.with_name("m.toml"), "m", weights, ("AU1",), spec, WholePicture(8, 8))


@pytest.mark.parametrize(("make", "inner"), [(sharded, "m-2-of-2.safetensors"), (beside, "m.data")])
def test_another_shard_or_other_external_data_are_other_weights(tmp_path: Path, make, inner: str) -> None:
    file = make(tmp_path)
    assert tmp_path / inner in weight_files(file)
    assert weights_bytes(file) == sum(one.stat().st_size for one in weight_files(file)) > file.stat().st_size
    before, graph = described(file).description(3).network.provenance, file_digest(file)
    content = bytearray((tmp_path / inner).read_bytes())
    content[-1] ^= 1
    (tmp_path / inner).write_bytes(content)
    after = described(file).description(3).network.provenance
    assert file_digest(file) == graph
    assert before != after


def test_a_single_file_keeps_its_own_digest(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"weights")
    assert weights_digest(tmp_path / "w.pth") == file_digest(tmp_path / "w.pth")
    assert weights_bytes(tmp_path / "w.pth") == 7


def test_an_index_of_nothing_is_refused(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    (tmp_path / "m-1-of-2.safetensors").unlink()
    with pytest.raises(CheckpointError, match="which is not beside it"):
        weights_digest(index)
