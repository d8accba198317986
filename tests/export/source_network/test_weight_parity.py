"""Correct exports pass; one weight that is wrong by a thousandth is found, where logits show nothing of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from benchmarks.suite.network_zoo import ZOO, trained_like
from edgeau.errors import CheckpointError, GateRefusedError
from edgeau_calibration.graph.ort_session import open_model
from edgeau_export.converters.parity import refuse_if_tflite_weights_differ, refuse_if_weights_differ
from edgeau_export.onnx_to_tflite import tflite_bytes
from edgeau_export.source_network.from_model_file import ModelFileSource
from edgeau_export.source_network.known_weights import KnownWeight, known_weights
from edgeau_export.source_network.network import Reference
from edgeau_export.source_network.onnx_from_network import onnx_from_module, unfolded_from_module
from edgeau_export.source_network.onnx_graph import simplify_graph
from edgeau_export.source_network.tflite_facts import float_constants
from edgeau_export.source_network.weight_parity import faults_of_constants, weight_faults
from tests.export.onnx_to_tflite.small_graphs import graph_of

FAULTS = 6
QUICK = ("grey-cnn-64", "mobilenetv3-small")
TEN = (
    "resnet18", "mobilenetv2", "efficientnet-b0", "regnety-002", "repvgg-a0", "densenet121", "convnext-atto",
    "fastvit-t8", "mobilevit-xxs", "deit-tiny",
)  # fmt: skip


def described_network(name: str, folder: Path) -> Path:
    """A network of the zoo with trained-like weights, as a state dict with its model.toml."""
    row, (height, width) = ZOO[name], ZOO[name].size
    channels = 1 if row.grey else 3
    torch.manual_seed(0)
    noise = np.random.default_rng(0).normal(size=(16, channels, height, width)).astype(np.float32)
    torch.save(trained_like(row.build(), noise).state_dict(), folder / "w.pth")
    (folder / "build_it.py").write_text(
        f"from benchmarks.suite.network_zoo import ZOO\n\ndef build():\n    return ZOO[{name!r}].build()\n"
    )
    file = folder / "model.toml"
    file.write_text(
        f'title = "{name}"\nweights = "w.pth"\nbuilder = "build_it.py:build"\nlabels = {json.dumps(row.labels)}\n'
        f'[input]\nsize = [{height}, {width}]\ncolor = "{"GRAY" if row.grey else "RGB"}"\n'
        f"mean = {[0.5] * channels}\nstd = {[0.25] * channels}\n"
        '[alignment]\nkind = "none"\n'
    )
    return file


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in TEN)])
def test_a_correct_export_passes_and_every_fault_is_caught(tmp_path: Path, name: str) -> None:
    source = ModelFileSource(described_network(name, tmp_path))
    graph = source.graph(17)
    height, width = ZOO[name].size
    faces = np.random.default_rng(1).integers(0, 256, (8, height, width, 3), dtype=np.uint8)
    reference = source.reference(faces)
    answers = open_model(graph).run(None, {"input": reference.batch})[0]
    assert np.abs(answers - reference.logits).max() <= reference.allowed
    refuse_if_weights_differ(tmp_path / "m.onnx", graph, reference)

    made = {
        precision: tflite_bytes(graph, precision=precision, metadata={}) for precision in ("fp32", "fp16")
    }
    for precision, content in made.items():
        refuse_if_tflite_weights_differ(tmp_path / "m.tflite", content, graph, precision)

    random = np.random.default_rng(2)
    weights = [item.name for item in graph.graph.initializer if _is_weight(item)]
    for number in range(FAULTS):
        precision = ("fp32", "fp16")[number % 2]
        with pytest.raises(GateRefusedError, match="of .* numbers differ from"):
            refuse_if_tflite_weights_differ(
                tmp_path / "m.tflite", _tflite_with_fault(made[precision], random), graph, precision
            )
        with pytest.raises(GateRefusedError, match="1 of .* numbers differ from"):
            refuse_if_weights_differ(
                tmp_path / "m.onnx", _with_fault(graph, str(random.choice(weights)), random), reference
            )


def _tflite_with_fault(content: bytes, random: np.random.Generator) -> bytes:
    """The file with one number of one weight a thousandth larger, or two where half precision has no step so small."""
    arrays = [array for _, array in float_constants(content) if len(np.unique(array)) > 8]
    array = arrays[int(random.integers(len(arrays)))]
    changed = array.copy()
    place = int(random.choice(np.flatnonzero(np.abs(array) > 1e-3 * np.abs(array).max())))
    changed.ravel()[place] *= array.dtype.type(1.001 if array.dtype == np.float32 else 1.002)
    assert changed.ravel()[place] != array.ravel()[place]
    found = content.find(array.tobytes())
    assert found > 0
    return content[:found] + changed.tobytes() + content[found + array.nbytes :]


def _is_weight(item: onnx.TensorProto) -> bool:
    return item.data_type == onnx.TensorProto.FLOAT and len(np.unique(numpy_helper.to_array(item))) > 8


def _with_fault(graph: onnx.ModelProto, name: str, random: np.random.Generator) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    (item,) = (item for item in copy.graph.initializer if item.name == name)
    values = numpy_helper.to_array(item).copy()
    place = random.choice(np.flatnonzero(values))
    values.ravel()[place] *= 1.001
    item.CopyFrom(numpy_helper.from_array(values, name))
    return copy


def test_a_converter_may_make_other_constants_of_weights(tmp_path: Path) -> None:
    """A batch norm that follows no layer is a product and a sum in LiteRT; a fault in either is found still."""
    random = np.random.default_rng(0)
    weights = {
        name: random.uniform(0.5, 2, 6).astype(np.float32) for name in ("scale", "offset", "mean", "variance")
    }
    weights["w"] = random.normal(size=(6, 6, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("BatchNormalization", ["a", "scale", "offset", "mean", "variance"], ["b"]),
        helper.make_node("Conv", ["b", "w"], ["y"]),
    ]
    graph = graph_of(nodes, (1, 6, 8, 8), weights)
    content = tflite_bytes(graph, precision="fp32", metadata={})
    refuse_if_tflite_weights_differ(tmp_path / "m.tflite", content, graph, "fp32")
    names = [name for name, array in float_constants(content) if array.size == 6]
    assert len(names) >= 2
    for name, array in float_constants(content):
        if array.size < 6 or not array.any():
            continue
        changed = array.copy()
        changed.ravel()[3] *= 1.001
        found = content.find(array.tobytes())
        wrong = content[:found] + changed.tobytes() + content[found + array.nbytes :]
        with pytest.raises(GateRefusedError, match="of .* numbers differ from"):
            refuse_if_tflite_weights_differ(tmp_path / "m.tflite", wrong, graph, "fp32")
        assert name


def test_a_lost_weight_and_one_from_nowhere_are_named() -> None:
    random = np.random.default_rng(0)
    weights = {
        "w1": random.normal(size=(6, 6, 3, 3)).astype(np.float32),
        "w2": random.normal(size=(6, 6, 1, 1)).astype(np.float32),
    }
    nodes = [helper.make_node("Conv", ["x", "w1"], ["a"]), helper.make_node("Conv", ["a", "w2"], ["y"])]
    known = known_weights(graph_of(nodes, (1, 6, 8, 8), weights))
    assert not weight_faults(graph_of(nodes, (1, 6, 8, 8), weights), known)
    other = weights | {"w2": random.normal(size=(6, 6, 1, 1)).astype(np.float32)}
    faults = weight_faults(graph_of(nodes, (1, 6, 8, 8), other), known)
    assert faults.unknown == ("w2",)
    assert faults.lost == ("w2",)
    assert "w2 is not a weight of the network; w2 of the network is nowhere" in str(faults)


def test_two_weights_that_differ_by_less_than_rounding_are_both_there() -> None:
    """Two copies that were hardly trained: each tensor of the file may be taken for either."""
    values = np.random.default_rng(0).normal(size=32)
    nearly = values * (1 + 1e-8)
    known = [
        KnownWeight(name, each, np.abs(each), frozenset({name}))
        for name, each in (("a", values), ("b", nearly))
    ]
    constants = [("a", values.astype(np.float32)), ("b", nearly.astype(np.float32))]
    assert not faults_of_constants(constants, known)
    other = KnownWeight("c", values * 1.01, np.abs(values), frozenset({"c"}))
    assert faults_of_constants(constants, [*known, other]).lost == ("c",)


def test_whatever_is_folded_into_a_layer_is_known() -> None:
    class Folded(nn.Module):
        """Batch norm, a factor, an offset and a transpose that are constant."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, bias=False)
            self.norm = nn.BatchNorm2d(8)
            self.gamma = nn.Parameter(torch.rand(8, 1, 1) + 0.5)
            self.shift = nn.Parameter(torch.rand(1, 8, 1, 1))
            self.matrix = nn.Parameter(torch.randn(5, 8))
            self.unused = nn.Parameter(torch.randn(4, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.norm(self.conv(x)) * self.gamma + self.shift
            return x.mean((2, 3)) @ self.matrix.t()

    torch.manual_seed(0)
    network = Folded()
    network.norm.running_mean.normal_()  # type: ignore[union-attr]
    network.norm.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    network.eval()
    known = known_weights(unfolded_from_module(network, (3, 12, 12), 17))
    graph = simplify_graph(onnx_from_module(network, (3, 12, 12), 17))
    assert [node.op_type for node in graph.graph.node if node.op_type == "BatchNormalization"] == []
    assert not weight_faults(graph, known)


def test_a_weight_that_torch_changes_on_the_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()
    real = torch.onnx.export

    def careless(module: nn.Module, *given: object, **options: object) -> None:
        kept = module[0].weight.detach().clone()  # type: ignore[index]
        with torch.no_grad():
            module[0].weight[0, 0, 0, 0] *= 1.001  # type: ignore[index]
            real(module, *given, **options)  # type: ignore[arg-type]
            module[0].weight.copy_(kept)  # type: ignore[index]

    monkeypatch.setattr(torch.onnx, "export", careless)
    with pytest.raises(CheckpointError, match=r"torch changes weights on the way to ONNX: 0\.weight"):
        unfolded_from_module(network, (3, 8, 8), 17)


def test_sources_without_known_weights_are_compared_by_their_answers_alone(tmp_path: Path) -> None:
    batch = np.zeros((1, 3, 2, 2), np.float32)
    reference = Reference("a file", "some inputs", batch, np.ones((1, 1), np.float32), 1e-4)
    refuse_if_weights_differ(tmp_path / "m.onnx", onnx.ModelProto(), reference)
