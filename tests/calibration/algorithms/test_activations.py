from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau_calibration.algorithms.activations import sampled_activations


def test_masks_and_shapes_have_no_range() -> None:
    """Attention has them, and converts them without a word to levels of 0 and 1."""
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["mask"]),
        helper.make_node("Where", ["mask", "x", "zero"], ["y"]),
        helper.make_node("Shape", ["y"], ["shape"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, 8, 8]) for name in ("x", "y")]
    zero = numpy_helper.from_array(np.float32(0).reshape(1), "zero")
    graph = helper.make_graph(nodes, "masked", ends[:1], ends[1:], [zero])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    crops = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
    found = sampled_activations(model, crops, InputSpec(size=(8, 8)), ["x", "mask", "y", "shape"])
    assert set(found) == {"x", "y"}
    assert found["y"].low == 0 < found["y"].high == found["x"].high
    assert len(found["y"].lows) == 5
