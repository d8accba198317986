from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import helper

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe
from edgeau_export.converters.tensorrt.placed import PlacedQuantization
from tests.export.onnx_to_tflite.small_graphs import graph_of

SPEC = InputSpec(size=(16, 16), mean=(0.5,) * 3, std=(0.25,) * 3)


def _sharing() -> onnx.ModelProto:
    """Three convolutions and a product that all read one constant, as exporters store equal tensors once."""
    random = np.random.default_rng(0)
    shared = np.full((8,), 0.1, np.float32)
    constants = {"shared": shared, "axes": np.array([1, 8, 1, 1], np.int64)}
    nodes = [helper.make_node("Reshape", ["shared", "axes"], ["factor"])]
    read = "x"
    for number, channels in enumerate((3, 8, 8)):
        weights = random.normal(size=(8, channels, 3, 3)) * 10.0 ** (number - 1)
        constants[f"w{number}"] = weights.astype(np.float32)
        nodes.append(helper.make_node("Conv", [read, f"w{number}", "shared"], [f"c{number}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"r{number}"]))
        read = f"r{number}"
    nodes.append(helper.make_node("Mul", [read, "factor"], ["scaled"]))
    nodes.append(helper.make_node("GlobalAveragePool", ["scaled"], ["y"]))
    return graph_of(nodes, (1, 3, 16, 16), constants)


def test_each_layer_has_constants_of_its_own() -> None:
    model = _sharing()
    prepared = prepare_graph(model)
    read = Counter(
        name
        for node in prepared.graph.node
        for name in node.input
        if node.op_type in ("Conv", "Gemm", "MatMul")
    )
    names = {item.name for item in prepared.graph.initializer}
    assert [name for name, times in read.items() if name in names and times > 1] == []
    picture = np.random.default_rng(1).normal(size=(1, 3, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(
        open_model(model).run(None, {"x": picture})[0], open_model(prepared).run(None, {"x": picture})[0]
    )


def test_what_one_layer_learns_does_not_reach_the_others() -> None:
    """A bias correction is in the units of its own layer: in another that is a hundred times smaller, it is everything."""
    model = _sharing()
    crops = np.random.default_rng(2).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)
    batch = Preprocessor(SPEC).batch(crops)
    wanted = open_model(model).run(None, {"x": batch})[0]
    forms = {
        "quick": static_int8(model, crops, SPEC, load_recipe("quick")),
        "quick-symmetric": PlacedQuantization(model, crops, SPEC, load_recipe("quick-symmetric")).graph(),
    }
    for name, quantized in forms.items():
        answers = open_model(quantized).run(None, {"x": batch})[0]
        assert np.abs(answers - wanted).max() < 0.05 * np.abs(wanted).max(), name
