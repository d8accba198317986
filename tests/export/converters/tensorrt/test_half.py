"""Half precision: where it is, where it is not, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau_calibration.graph.view import GraphView
from edgeau_export.converters.tensorrt.half import with_half_precision

from .test_placement import run


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {
        info.name: info.type.tensor_type.elem_type
        for info in (*inferred.value_info, *inferred.output, *inferred.input)
    }
    return types | {item.name: item.data_type for item in model.graph.initializer}


@pytest.fixture(scope="session")
def half(float_graph: onnx.ModelProto) -> onnx.ModelProto:
    return with_half_precision(float_graph)


def test_the_half_variant_is_half_throughout_with_float32_at_both_ends(half: onnx.ModelProto):
    onnx.checker.check_model(half, full_check=True)
    types = types_of(half)
    assert types["input"] == types["logits"] == TensorProto.FLOAT
    inside = {types[name] for node in half.graph.node if node.op_type != "Cast" for name in node.output}
    assert inside == {TensorProto.FLOAT16}
    assert sum(node.op_type == "Cast" for node in half.graph.node) == 2


def test_it_answers_as_the_float_network_does(
    float_graph: onnx.ModelProto, half: onnx.ModelProto, pictures: np.ndarray
):
    assert np.abs(run(half, pictures) - run(float_graph, pictures)).max() < 0.01


def test_weights_take_half_the_room(float_graph: onnx.ModelProto, half: onnx.ModelProto):
    def size(model: onnx.ModelProto) -> int:
        return sum(
            numpy_helper.to_array(item).nbytes
            for item in model.graph.initializer
            if item.data_type != TensorProto.INT64
        )

    assert size(half) * 2 == size(float_graph)


def test_what_touches_a_pair_is_float32(artifact: onnx.ModelProto):
    types = types_of(artifact)
    for node in artifact.graph.node:
        if node.op_type == "QuantizeLinear":
            assert types[node.input[0]] == types[node.input[1]] == TensorProto.FLOAT
        if node.op_type == "DequantizeLinear":
            assert types[node.output[0]] == TensorProto.FLOAT


def test_between_pairs_nothing_is_cast(artifact: onnx.ModelProto):
    """A convolution, its SiLU and the next pair are one kernel."""
    types = types_of(artifact)
    for name in (
        "one_expand",
        "one_expanded_sigmoid",
        "one_expanded",
        "one_depthwise",
        "one_map",
        "one_scaled",
        "one_sum",
    ):
        assert types[name] == TensorProto.FLOAT, name


def test_far_from_pairs_it_is_half(artifact: onnx.ModelProto):
    types = types_of(artifact)
    for name in ("pooled",):
        assert types[name] == TensorProto.FLOAT16, name


def test_a_tensor_is_cast_once_however_many_read_it(artifact: onnx.ModelProto):
    casts = [(node.input[0], node.attribute[0].i) for node in artifact.graph.node if node.op_type == "Cast"]
    assert len(casts) == len(set(casts))


def small(*nodes: onnx.NodeProto, constants: tuple[onnx.TensorProto, ...] = ()) -> onnx.ModelProto:
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph(list(nodes), "g", infos[:1], infos[1:], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_operators_that_half_does_not_suit_stay_float32_between_casts():
    model = with_half_precision(
        small(
            helper.make_node("Relu", ["x"], ["a"]),
            helper.make_node("Exp", ["a"], ["b"]),
            helper.make_node("Relu", ["b"], ["y"]),
        )
    )
    onnx.checker.check_model(model, full_check=True)
    types = types_of(model)
    assert [types[name] for name in ("a", "b")] == [TensorProto.FLOAT16, TensorProto.FLOAT]


def test_weights_beyond_half_are_cut_to_its_largest():
    huge = numpy_helper.from_array(np.array([1e9, -1e9, 1, 1e-9], np.float32), "w")
    model = with_half_precision(small(helper.make_node("Mul", ["x", "w"], ["y"]), constants=(huge,)))
    np.testing.assert_array_equal(
        GraphView(model.graph).value("w_half"), np.array([65504, -65504, 1, 0], np.float16)
    )


def test_a_constant_for_both_types_is_there_twice():
    w = numpy_helper.from_array(np.ones(4, np.float32), "w")
    model = with_half_precision(
        small(
            helper.make_node("Mul", ["x", "w"], ["a"]),
            helper.make_node("Pow", ["a", "w"], ["y"]),
            constants=(w,),
        )
    )
    onnx.checker.check_model(model, full_check=True)
    assert {item.name for item in model.graph.initializer} == {"w", "w_half"}


def test_integers_are_left_alone():
    shape = numpy_helper.from_array(np.array([4, 1]), "shape")
    model = with_half_precision(
        small(
            helper.make_node("Reshape", ["x", "shape"], ["a"]),
            helper.make_node("Flatten", ["a"], ["b"]),
            helper.make_node("Transpose", ["b"], ["y"]),
            constants=(shape,),
        )
    )
    onnx.checker.check_model(model, full_check=True)
    assert types_of(model)["shape"] == TensorProto.INT64


def test_an_output_that_others_read_too_keeps_its_name():
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y", "z")]
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Sigmoid", ["y"], ["z"])]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:])
    model = with_half_precision(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    )
    onnx.checker.check_model(model, full_check=True)
    assert [item.name for item in model.graph.output] == ["y", "z"]
