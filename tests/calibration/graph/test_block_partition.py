from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeau.errors import CalibrationError
from edgeau_calibration.graph.block_partition import blocks, layers, nodes_of_roles
from edgeau_calibration.graph.macs import macs_by_node
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.subgraph import between, cuts


def test_cuts_are_where_everything_passes(inverted_residual: onnx.ModelProto) -> None:
    assert [name for name, _ in cuts(inverted_residual.graph)] == ["input", "x", "s", "q", "f", "logits"][:-1]


def test_a_piece_between_two_tensors_is_a_graph_of_its_own(inverted_residual: onnx.ModelProto) -> None:
    piece = between(inverted_residual, "x", ["p"])
    assert [node.name for node in piece.graph.node] == ["expand", "depthwise", "squeeze"]
    assert {item.name for item in piece.graph.initializer} == {"w1", "w2"}
    values = np.random.default_rng(0).normal(size=(3, 8, 10, 10)).astype(np.float32)
    (pooled,) = open_model(piece).run(None, {"x": values})
    assert pooled.shape == (3, 16, 1, 1)


def test_blocks_go_from_cut_to_cut_and_each_has_a_layer(inverted_residual: onnx.ModelProto) -> None:
    found = {unit.name: unit.nodes for unit in blocks(inverted_residual.graph)}
    assert list(found) == ["first", "expand", "classifier"]
    assert "scale" in found["expand"]
    assert [unit.name for unit in layers(inverted_residual.graph)] == [
        "first", "expand", "depthwise", "reduce", "excite", "project", "classifier"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "nodes"),
    [
        ("first", {"first"}),
        ("last", {"classifier"}),
        ("depthwise", {"depthwise"}),
        # The pooling before the classifier has no gate.
        ("squeeze-excite", {"squeeze", "reduce", "act", "excite", "gate"}),
    ],
)
def test_roles_are_found_in_the_graph(inverted_residual: onnx.ModelProto, role: str, nodes: set[str]) -> None:
    assert set(nodes_of_roles(inverted_residual.graph, [role])) == nodes


def test_an_unknown_role_lists_the_known_ones(inverted_residual: onnx.ModelProto) -> None:
    with pytest.raises(CalibrationError, match="first, last, squeeze-excite, depthwise"):
        nodes_of_roles(inverted_residual.graph, ["middle"])


def test_multiply_accumulates_by_hand(inverted_residual: onnx.ModelProto) -> None:
    assert macs_by_node(inverted_residual) == {
        "first": 8 * 100 * 27,
        "expand": 16 * 100 * 8,
        "depthwise": 16 * 100 * 9,
        "reduce": 4 * 16,
        "excite": 16 * 4,
        "project": 8 * 100 * 16,
        "classifier": 5 * 8,
    }
