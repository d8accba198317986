from __future__ import annotations

import onnx
import pytest

from edgeau.bundle import packaged_bundle_path
from edgeau_calibration.graph.quantizable_layers import float_layers, weighted_nodes


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("default", []),
        (
            "light",
            [
                f"/stem/blocks/blocks.{block}/blocks.{block}.0/se/conv_{part}/Conv"
                for block in (0, 2)
                for part in ("expand", "reduce")
            ],
        ),
    ],
)
def test_layers_that_int8_leaves_in_float_are_named(name: str, kept: list[str]) -> None:
    graph = onnx.load(packaged_bundle_path(name) / "model.int8.onnx")
    assert sorted(float_layers(graph)) == kept


def test_all_layers_of_a_float_graph_are_float() -> None:
    graph = onnx.load(packaged_bundle_path("light") / "model.fp32.onnx")
    assert len(float_layers(graph)) == len(weighted_nodes(graph.graph))
