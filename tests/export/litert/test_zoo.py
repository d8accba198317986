"""The networks themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.backends import open_session
from edgeau.bundle import default_bundle_path
from edgeau.bundle.golden import read_golden
from edgeau.bundle.manifest import InputSpec
from edgeau.preprocessing import Preprocessor
from edgeau_export.litert import tflite_bytes
from tests.export.litert.small_graphs import operators

# Float kernels add in another order; 1.2e-4 was seen of converters that others wrote.
_TOLERANCE = 5e-4


@pytest.fixture(scope="module")
def default_graph() -> onnx.ModelProto:
    return onnx.load(default_bundle_path() / "model.fp32.onnx")


@pytest.fixture(scope="module")
def default_float(default_graph: onnx.ModelProto) -> bytes:
    return tflite_bytes(default_graph, precision="fp32", metadata={})


def test_the_default_answers_as_its_golden_answers(default_float: bytes, tmp_path: Path) -> None:
    golden = read_golden(default_bundle_path() / "golden.npz")
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
@pytest.mark.parametrize(
    "name",
    [
        "drml",
        "drml-alexnet",
        "drml-convnet",
        "drml-lcn",
        "mrpnet",
        "mrpnet-lite1",
        "mrpnet-mnv4m",
        "mrpnet-mnv4s",
        "siat-ir152",
        "siat-ir50",
        "siat-two-view",
        "ustc-attn",
        "ustc-fixed",
    ],
)
def test_every_network_answers_as_torch(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from edgeau_export.onnx_from_network import TorchModel
    from edgeau_export.onnx_graph import simplified
    from edgeau_training.networks import NETWORKS, build_network
    from edgeau_training.networks.catalogue import network_facts

    assert name in NETWORKS
    torch.manual_seed(0)
    size = network_facts(name).input.size
    network = build_network(name, [f"AU{number}" for number in range(18)]).eval()
    model = TorchModel(network, None)
    batch = np.random.default_rng(0).standard_normal((2, 3, *size), dtype=np.float32)
    expected = model.logits([batch])
    file = tmp_path / "model.tflite"
    file.write_bytes(tflite_bytes(simplified(model.to_onnx(size, 17)), precision="fp32", metadata={}))
    with open_session("litert", file, threads=1) as session:
        answer = session.run(batch)
    # Untrained networks answer with small numbers, and must be as near in proportion.
    np.testing.assert_allclose(answer, expected, atol=_TOLERANCE * min(1.0, np.abs(expected).max()))
