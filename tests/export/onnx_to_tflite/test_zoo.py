"""The networks themselves."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from edgeau.bundle import packaged_bundle_path
from edgeau.bundle.golden import read_golden
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.runtimes import open_session
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe
from edgeau_export.onnx_to_tflite import PRECISIONS, tflite_bytes
from edgeau_export.source_network.onnx_from_network import TorchModel
from edgeau_export.source_network.onnx_graph import simplify_graph
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import CATALOGUE, network_facts
from tests.export.onnx_to_tflite.small_graphs import operators

# Float kernels add in another order; 1.2e-4 was seen of converters that others wrote.
_TOLERANCE = 5e-4


@pytest.fixture(scope="module")
def default_graph() -> onnx.ModelProto:
    return onnx.load(packaged_bundle_path() / "model.fp32.onnx")


@pytest.fixture(scope="module")
def default_float(default_graph: onnx.ModelProto) -> bytes:
    return tflite_bytes(default_graph, precision="fp32", metadata={})


def test_the_default_answers_as_its_golden_answers(default_float: bytes, tmp_path: Path) -> None:
    golden = read_golden(packaged_bundle_path() / "golden.npz")
    (tmp_path / "model.tflite").write_bytes(default_float)
    with open_session("litert", tmp_path / "model.tflite", threads=1) as session:
        logits = session.run(Preprocessor(InputSpec()).batch(golden.crops))
    np.testing.assert_allclose(logits, golden.answers["model.fp32.onnx"].logits, atol=_TOLERANCE)


def test_the_default_moves_no_axes(default_float: bytes) -> None:
    used = operators(default_float)
    assert "TRANSPOSE" not in used
    assert used.count("CONV_2D") + used.count("DEPTHWISE_CONV_2D") == 127
    assert "RELU" not in used, "each is the end of the convolution before it"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_network_answers_as_torch_in_every_precision(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    spec = network_facts(name).input
    model = TorchModel(build_network(name, [f"AU{number}" for number in range(18)]).eval(), None)
    crops = _smooth_pictures(8, spec.size)
    batch = Preprocessor(spec).batch(crops[:1]).copy()
    expected = model.logits([batch])
    graph = simplify_graph(model.to_onnx(spec.size, 17))
    quantized = static_int8(graph, crops, spec, load_recipe("plain"))
    largest = np.abs(expected).max()
    for precision, kind in PRECISIONS.items():
        file = tmp_path / f"model.{precision}.tflite"
        source = quantized if kind.quantized else graph
        file.write_bytes(tflite_bytes(source, precision=precision, metadata={}))
        # Untrained networks answer with small numbers, and must be as near in proportion. They amplify what is rounded:
        # up to 0.35 of the largest logit was seen. How true a precision is, is shown on small graphs and on the default.
        allowed = _TOLERANCE * min(1.0, largest) if precision == "fp32" else largest / 2
        assert np.abs(_answer("litert", file, batch) - expected).max() <= allowed, precision
    onnx.save(quantized, tmp_path / "model.int8.onnx")
    answer = _answer("onnxruntime", tmp_path / "model.int8.onnx", batch)
    assert np.abs(answer - expected).max() <= largest / 2, "INT8 in ONNX Runtime"


def _smooth_pictures(count: int, size: tuple[int, int]) -> np.ndarray:
    """Uint8 ``(count, H, W, 3)``. Of noise, random weights would keep nothing but noise."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)
    return np.stack([cv2.resize(one, size[::-1], interpolation=cv2.INTER_CUBIC) for one in coarse])


def _answer(runtime: str, file: Path, batch: np.ndarray) -> np.ndarray:
    with open_session(runtime, file, threads=1) as session:
        return session.run(batch)
