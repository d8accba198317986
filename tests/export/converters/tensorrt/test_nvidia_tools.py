"""The artifact through NVIDIA's own tools that run without a GPU, and as ONNX Runtime runs it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeau.bundle.preprocessing import Preprocessor

from .conftest import SPEC
from .test_placement import run


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, artifact: onnx.ModelProto) -> str:
    file = tmp_path_factory.mktemp("artifact") / "model.trt.int8.onnx"
    onnx.save(artifact, file)
    return str(file)


def test_graphsurgeon_reads_it_whole_and_writes_it_back(
    saved: str, artifact: onnx.ModelProto, pictures: np.ndarray
):
    surgeon = pytest.importorskip("onnx_graphsurgeon")
    graph = surgeon.import_onnx(onnx.load(saved))
    assert len(graph.nodes) == len(artifact.graph.node)
    for node in graph.nodes:
        if node.op == "QuantizeLinear":
            assert isinstance(node.inputs[1], surgeon.Constant)
            assert [reader.op for reader in node.outputs[0].outputs] == ["DequantizeLinear"]
            assert not np.any(node.inputs[2].values)
    graph.cleanup(remove_unused_graph_inputs=True).toposort()
    again = surgeon.export_onnx(graph)
    onnx.checker.check_model(again, full_check=True)
    assert len(again.graph.node) == len(artifact.graph.node), "nothing was left over"
    np.testing.assert_array_equal(run(again, pictures), run(artifact, pictures))


def test_polygraphy_loads_folds_and_runs_it(saved: str, artifact: onnx.ModelProto, pictures: np.ndarray):
    pytest.importorskip("polygraphy")
    from polygraphy.backend.onnx import FoldConstants, InferShapes, OnnxFromPath
    from polygraphy.backend.onnxrt import OnnxrtRunner, SessionFromOnnx

    folded = FoldConstants(InferShapes(OnnxFromPath(saved)))()
    assert any(node.op_type == "QuantizeLinear" for node in folded.graph.node)
    with OnnxrtRunner(SessionFromOnnx(saved)) as runner:
        answer = runner.infer({"input": Preprocessor(SPEC).batch(pictures[:1])})
    np.testing.assert_allclose(answer["logits"], run(artifact, pictures[:1]), atol=1e-4)
