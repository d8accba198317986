"""The one view of ONNX graphs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau_calibration.graph.view import GraphView, drop_unread, with_shapes


@pytest.fixture
def model() -> onnx.ModelProto:
    """``y = relu(x * scale)``, ``z = y + y``, with a constant that nobody reads."""
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["scaled"], name="mul"),
        helper.make_node("Relu", ["scaled"], ["y"], name="relu"),
        helper.make_node("Add", ["y", "y"], ["z"], name="add"),
    ]
    constants = [
        numpy_helper.from_array(np.full((1, 3), 2.0, np.float32), "scale"),
        numpy_helper.from_array(np.zeros(5, np.float32), "unread"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 3])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_makers_and_readers(model: onnx.ModelProto) -> None:
    view = GraphView(model.graph)
    assert view.made_by("y") == "Relu"
    assert view.made_by("x") is None
    assert view.made_by("scale") is None
    assert [(node.name, index) for node, index in view.readers["y"]] == [("add", 0), ("add", 1)]
    assert [node.name for node in view.nodes_reading("y")] == ["add"], (
        "it reads y twice and stands there once"
    )
    assert view.kinds_reading("z") == set()


def test_a_constant_is_written_in_the_graph_itself(model: onnx.ModelProto) -> None:
    view = GraphView(model.graph)
    view.set_value("scale", np.full((1, 3), 0.5, np.float32))
    assert GraphView(model.graph).value("scale").tolist() == [[0.5, 0.5, 0.5]]


def test_shapes_are_those_that_the_graph_declares_until_they_are_inferred(model: onnx.ModelProto) -> None:
    assert GraphView(model.graph).shape("y") is None
    assert GraphView(model.graph).shape("scale") == (1, 3)
    assert GraphView(with_shapes(model).graph).shape("y") == (0, 3), "a batch that is not fixed is 0"
    assert GraphView(with_shapes(model, batch=4).graph).shape("y") == (4, 3)
    assert GraphView(model.graph).shape("x") == (0, 3), "the model itself stays as it was"


def test_constants_that_nobody_reads_go(model: onnx.ModelProto) -> None:
    drop_unread(model)
    assert [item.name for item in model.graph.initializer] == ["scale"]
