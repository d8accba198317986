"""What this package relies on in ONNX Runtime's undocumented ``QDQQuantizer``: a new release that changes it fails here."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QDQQuantizer

from edgeau_calibration.graph.prepare import prepare_graph
from edgeau_calibration.qdq_quantizer import quantize_graph
from edgeau_calibration.recipe import load_recipe

RANGES = {"x": (-1.0, 3.0), "y": (0.0, 2.0), "z": (-4.0, 4.0)}


@pytest.fixture
def network() -> onnx.ModelProto:
    """x -> Conv(3 to 2) -> y -> Conv(2 to 2) -> z, weights of different reach per channel."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal((2, 3, 1, 1)).astype(np.float32) * np.array([1, 10], np.float32).reshape(
        2, 1, 1, 1
    )
    second = rng.standard_normal((2, 2, 1, 1)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w1", "b1"], ["y"], "first"),
            helper.make_node("Conv", ["y", "w2"], ["z"], "second"),
        ],
        "two",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", 2, 4, 4])],
        [
            numpy_helper.from_array(first, "w1"),
            numpy_helper.from_array(np.array([0.5, -0.5], np.float32), "b1"),
            numpy_helper.from_array(second, "w2"),
        ],
    )
    return prepare_graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))


def parts(model: onnx.ModelProto) -> tuple[dict[str, onnx.NodeProto], dict[str, np.ndarray]]:
    made_by = {name: node for node in model.graph.node for name in node.output}
    return made_by, {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}


def weights_of(model: onnx.ModelProto, name: str) -> tuple[onnx.NodeProto, dict[str, np.ndarray]]:
    made_by, constants = parts(model)
    node = next(node for node in model.graph.node if node.name == name)
    return made_by[node.input[1]], constants


def test_its_constructor_takes_the_arguments_that_are_given() -> None:
    assert set(inspect.signature(QDQQuantizer.__init__).parameters) >= {
        "per_channel",
        "reduce_range",
        "weight_qType",
        "activation_qType",
        "tensors_range",
        "nodes_to_quantize",
        "nodes_to_exclude",
        "op_types_to_quantize",
        "extra_options",
    }


def test_given_ranges_become_scale_and_zero_point(network: onnx.ModelProto) -> None:
    recipe = replace(load_recipe("robust"), activations="uint8", symmetric_activations=False)
    model = quantize_graph(network, RANGES, recipe)
    _, constants = parts(model)
    quantize = {node.input[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    scale, zero = (constants[name] for name in quantize["x"].input[1:])
    assert scale == pytest.approx(4 / 255)
    assert (zero, zero.dtype) == (64, np.uint8)


def test_symmetric_ranges_have_their_zero_in_the_middle(network: onnx.ModelProto) -> None:
    recipe = replace(load_recipe("robust"), activations="int8", symmetric_activations=True)
    model = quantize_graph(
        network, {name: (-max(map(abs, ends)), max(map(abs, ends))) for name, ends in RANGES.items()}, recipe
    )
    _, constants = parts(model)
    zeros = [constants[node.input[2]] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert all(zero == 0 and zero.dtype == np.int8 for zero in zeros)


def test_weights_are_int8_with_a_scale_for_each_output_channel(network: onnx.ModelProto) -> None:
    recipe = replace(load_recipe("robust"), weight_pairs=False, per_channel=True, weight_bits=8)
    dequantize, constants = weights_of(quantize_graph(network, RANGES, recipe), "first")
    assert dequantize.op_type == "DequantizeLinear"
    assert constants[dequantize.input[0]].dtype == np.int8
    assert constants[dequantize.input[1]].shape == (2,)
    assert np.abs(constants[dequantize.input[0]]).max() == 127


def test_seven_bits_halve_the_integers(network: onnx.ModelProto) -> None:
    recipe = replace(load_recipe("robust"), weight_pairs=False, weight_bits=7)
    dequantize, constants = weights_of(quantize_graph(network, RANGES, recipe), "first")
    assert np.abs(constants[dequantize.input[0]]).max() in (63, 64)


def test_whole_pairs_keep_float_weights_and_no_pair_stands_behind_an_operator(
    network: onnx.ModelProto,
) -> None:
    model = quantize_graph(network, RANGES, replace(load_recipe("robust"), weight_pairs=True))
    dequantize, constants = weights_of(model, "second")
    quantize = parts(model)[0][dequantize.input[0]]
    assert quantize.op_type == "QuantizeLinear"
    assert constants[quantize.input[0]].dtype == np.float32
    # the graph's output comes straight out of its convolution
    assert parts(model)[0]["z"].op_type == "Conv"


def test_nodes_kept_in_float_read_float_weights_under_their_own_names(network: onnx.ModelProto) -> None:
    model = quantize_graph(network, RANGES, load_recipe("robust"), ["second"])
    by_name = {node.name: node for node in model.graph.node}
    assert by_name["second"].input[1] in {item.name for item in model.graph.initializer}
    assert weights_of(model, "first")[0].op_type == "DequantizeLinear"


def test_the_float_graph_is_left_as_it_is(network: onnx.ModelProto) -> None:
    before = network.SerializeToString()
    quantize_graph(network, RANGES, load_recipe("robust"))
    assert network.SerializeToString() == before
