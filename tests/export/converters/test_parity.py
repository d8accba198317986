from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgeau.errors import GateRefusedError
from edgeau_export.converters.parity import ArtifactLogits, measured_parity, refuse_if_beyond
from edgeau_export.export import export_bundle
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.network import Reference

HALF = np.full(1, 0.5, np.float32)


def reference(*logits: float) -> Reference:
    values = np.array([[value] for value in logits], np.float32)
    return Reference("torch", "some inputs", np.zeros((len(logits), 3, 2, 2), np.float32), values, 1e-4)


@pytest.mark.parametrize(
    ("logits", "answers", "passes"),
    [
        ((1.0, 5.0), (1.0, 5.00009), True),
        ((1.0, 5.0), (1.0, 5.0002), False),
        ((1.0, 5.0), (1.0, np.nan), False),
        ((0.01, -0.01), (0.01, -0.010002), False),  # small logits: the gate shrinks with them
        ((0.01, -0.01), (0.01, -0.0100005), True),
    ],
)
def test_the_gate(logits: tuple[float, ...], answers: tuple[float, ...], passes: bool) -> None:
    answer = np.array([[value] for value in answers], np.float32)
    asked = reference(*logits)
    parity = measured_parity(asked, ArtifactLogits(answer, "an engine"), HALF, tolerance=asked.allowed)
    if passes:
        refuse_if_beyond("model.onnx", parity)
    else:
        with pytest.raises(
            GateRefusedError, match=r"differ from torch by up to .* on some inputs, allowed is"
        ):
            refuse_if_beyond("model.onnx", parity)


def test_int8_that_is_not_finite_is_refused() -> None:
    infinite = ArtifactLogits(np.array([[np.inf]], np.float32), "an engine")
    parity = measured_parity(reference(1.0), infinite, HALF, tolerance=None)
    with pytest.raises(GateRefusedError, match="not finite on some inputs"):
        refuse_if_beyond("model.int8.onnx", parity)


def test_an_export_that_changes_one_weight_is_refused_and_leaves_nothing(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Careless(CheckpointSource):
        def graph(self, opset: int) -> onnx.ModelProto:
            model = super().graph(opset)
            (classifier,) = (node for node in model.graph.node if node.op_type == "Gemm")
            bias = next(item for item in model.graph.initializer if item.name == classifier.input[2])
            changed = numpy_helper.to_array(bias).copy()
            changed[0] += 2e-3
            bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
            return model

    monkeypatch.setattr("edgeau_export.export.CheckpointSource", Careless)
    with pytest.raises(
        GateRefusedError, match=r"model\.fp32\.onnx is not the same network.*0\.002"
    ) as caught:
        export_bundle("cpu", tmp_path / "b", checkpoint, precisions=("fp32",))
    assert caught.value.exit_code == 3
    assert not list(tmp_path.iterdir())


def test_torch_is_asked_in_evaluation_mode(checkpoint: Path, face_crops: np.ndarray) -> None:
    source = CheckpointSource(checkpoint)
    first, second = (source.reference(face_crops[:3]).logits for _ in range(2))
    np.testing.assert_array_equal(first, second)
