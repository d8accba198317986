"""INT8 for TensorRT as the package carries it: the same again to the bit, and only of the float network that it was made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.manifest import Accuracy, Calibration
from edgeau.errors import BundleError, GateRefusedError, InputError
from edgeau_calibration.recipe import load_recipe
from edgeau_export.converters.tensorrt.packaged_int8 import FILE, read_packaged, write_packaged
from edgeau_export.converters.tensorrt.placed import PlacedQuantization
from edgeau_export.export import export_bundle
from edgeau_export.packaging.packaged_int8 import add_int8
from edgeau_export.packaging.packaged_tensorrt import add_tensorrt_int8, main
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.quantized_graph import QuantizedGraph

from .conftest import SPEC
from .test_placement import run

SILENT = ProgressReporter(silent=True)
MADE_OF = "5" * 64


@pytest.fixture(scope="session")
def int8(network: onnx.ModelProto, pictures: np.ndarray) -> QuantizedGraph:
    accuracy = Accuracy("faces, split test", 6, {"AU1": 0.5, "AU2": None}, 0.5, 0.001, 0.002)
    return QuantizedGraph(
        graph=PlacedQuantization(network, pictures, SPEC, load_recipe("symmetric")).graph(),
        calibration=Calibration("0" * 64, 6, "pictures", "symmetric"),
        thresholds={"AU1": 0.4, "AU2": 0.6},
        accuracy=accuracy,
    )


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory, int8: QuantizedGraph, network: onnx.ModelProto) -> Path:
    file = tmp_path_factory.mktemp("packaged") / FILE
    write_packaged(file, int8, network, MADE_OF)
    return file


def test_it_comes_back_as_it_was(
    stored: Path, int8: QuantizedGraph, network: onnx.ModelProto, pictures: np.ndarray
):
    again = read_packaged(stored, network, MADE_OF)
    assert again.packaged
    for field in ("calibration", "thresholds", "fused_thresholds", "accuracy", "network_accuracy"):
        assert getattr(again, field) == getattr(int8, field), field
    assert list(again.graph.graph.node) == list(int8.graph.graph.node)
    np.testing.assert_array_equal(run(again.graph, pictures), run(int8.graph, pictures))


def test_layers_that_went_back_to_float_do_so_again(
    tmp_path: Path, network: onnx.ModelProto, pictures: np.ndarray, int8: QuantizedGraph
):
    quantization = PlacedQuantization(network, pictures, SPEC, load_recipe("symmetric"))
    graph = quantization.graph(["node_two_project", "node_stem"])
    write_packaged(tmp_path / FILE, QuantizedGraph(graph, int8.calibration), network, MADE_OF)
    again = read_packaged(tmp_path / FILE, network, MADE_OF)
    assert list(again.graph.graph.node) == list(graph.graph.node)
    np.testing.assert_array_equal(run(again.graph, pictures), run(graph, pictures))


def test_another_float_network_is_refused(stored: Path, network: onnx.ModelProto):
    with pytest.raises(BundleError, match="made for another float network"):
        read_packaged(stored, network, "6" * 64)


def test_a_damaged_file_is_named(tmp_path: Path, stored: Path, network: onnx.ModelProto):
    content = stored.read_bytes()
    for name, part in (("half", content[: len(content) // 2]), ("empty", b""), ("text", b"no archive")):
        (tmp_path / name).write_bytes(part)
        with pytest.raises(BundleError, match=f"{name} holds no INT8 of this network"):
            read_packaged(tmp_path / name, network, MADE_OF)


def test_the_default_gets_one_that_an_export_takes_as_it_is(
    network_alone: Path, labelled_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = add_tensorrt_int8(network_alone, labelled_set, 0.5, SILENT)
    assert made.accuracy is not None
    assert made.accuracy.count == 60
    assert "split test" in made.accuracy.data
    for module in (
        "edgeau_export.source_network.from_packaged",
        "edgeau_export.quantization.face_crops",
        "edgeau_calibration.data.load",
    ):
        monkeypatch.setattr(f"{module}.packaged_bundle_path", lambda *_: network_alone)
    monkeypatch.setattr(
        "edgeau_export.quantization.int8_search.search_int8",
        lambda *_: pytest.fail("nothing is calibrated anew"),
    )
    artifact = {
        item.file: item for item in export_bundle("jetson", tmp_path / "b", max_f1_drop=0.5).artifacts
    }["model.trt.int8.onnx"]
    assert artifact.thresholds == made.thresholds
    assert artifact.calibration == made.calibration
    assert artifact.accuracy is not None
    assert artifact.accuracy.f1 == made.accuracy.f1
    assert artifact.accuracy.f1_drop_mean == made.accuracy.f1_drop_mean
    assert "with float32 around the pairs" in artifact.accuracy.data


def test_it_stays_when_the_int8_for_processors_is_made_anew(network_alone: Path, labelled_set: Path):
    source = load_bundle(network_alone)
    with BundleWriter(network_alone) as writer:
        for record in source.manifest.files:
            shutil.copy(source.path(record.file), writer.directory)
        (writer.directory / FILE).write_bytes(b"stands in for it")
        writer.finish(source.manifest)
    add_int8(network_alone, labelled_set, 0.5, SILENT)
    assert load_bundle(network_alone).path(FILE).read_bytes() == b"stands in for it"


def test_a_budget_that_cannot_be_kept_leaves_the_default_as_it_was(
    network_alone: Path, labelled_set: Path, monkeypatch: pytest.MonkeyPatch
):
    def refused(*_: object) -> QuantizedGraph:
        raise GateRefusedError("INT8 does not keep its budget")

    monkeypatch.setattr("edgeau_export.packaging.packaged_tensorrt.search_int8", refused)
    before = (network_alone / "manifest.json").read_bytes()
    assert main(["--data", str(labelled_set), "--bundle", str(network_alone)]) == 3
    assert (network_alone / "manifest.json").read_bytes() == before
    assert [entry.name for entry in network_alone.parent.iterdir()] == ["default"]


def test_a_folder_without_labels_cannot_make_one(network_alone: Path, tmp_path: Path):
    with pytest.raises(InputError, match="no splits val and test"):
        add_tensorrt_int8(network_alone, tmp_path, 0.005, SILENT)
