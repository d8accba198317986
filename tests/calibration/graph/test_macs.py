from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from edgeau_calibration.graph.macs import macs_by_node
from tests.export.onnx_to_tflite.small_graphs import graph_of


def test_behind_sizes_that_the_graph_computes_shapes_are_those_of_a_run() -> None:
    """Swin cuts a map into as many windows as its size gives, in numbers that nothing infers."""
    constants = {
        "w": np.ones((8, 8), np.float32),
        "two": np.array([1, 2, 2, 1], np.float32),
        "places": np.array([0, 2, 3, 1], np.int64),
    }
    nodes = [
        helper.make_node("Shape", ["x"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["float", "places"], ["moved"], axis=0),
        helper.make_node("Div", ["moved", "two"], ["halves"]),
        helper.make_node("Cast", ["halves"], ["size"], to=TensorProto.INT64),
        helper.make_node("Transpose", ["x"], ["rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Resize", ["rows", "", "", "size"], ["small"], mode="nearest"),
        helper.make_node("MatMul", ["small", "w"], ["y"], name="product"),
    ]
    assert macs_by_node(graph_of(nodes, (1, 8, 12, 10), constants)) == {"product": 6 * 5 * 8 * 8}
