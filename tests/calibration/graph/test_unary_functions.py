from __future__ import annotations

import numpy as np
from onnx import helper

from edgeau_calibration.graph.unary_functions import inside_functions
from tests.export.onnx_to_tflite.small_graphs import graph_of

OPERATORS = ("Add", "Conv", "Mul", "Relu", "Sigmoid")


def test_a_composed_function_is_found_whole_and_silu_is_left_to_the_recipe() -> None:
    numbers = {"root": 2**0.5, "one": 1.0, "half": 0.5}
    constants = {name: np.array(value, np.float32) for name, value in numbers.items()}
    constants["w"] = np.ones((3, 3, 1, 1), np.float32)
    steps = [
        ("Conv", ["x", "w"], "c"),
        ("Div", ["c", "root"], "d"),
        ("Erf", ["d"], "e"),
        ("Add", ["e", "one"], "f"),
        ("Mul", ["c", "f"], "g"),
        ("Mul", ["g", "half"], "h"),
        ("Conv", ["h", "w"], "k"),
        ("Sigmoid", ["k"], "s"),
        ("Mul", ["k", "s"], "silu"),
        ("Add", ["silu", "h"], "y"),  # a residual: of two tensors
    ]
    nodes = [helper.make_node(kind, inputs, [output], name=output) for kind, inputs, output in steps]
    graph = graph_of(nodes, (1, 3, 4, 4), constants).graph
    assert inside_functions(graph, OPERATORS) == ("d", "e", "f", "g", "h")
