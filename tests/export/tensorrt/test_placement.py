"""Where pairs stand: NVIDIA's rules, on a network of the real one's kind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest

from edgeau.preprocessing import Preprocessor
from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.static_int8 import static_int8
from edgeau_export.onnx_graph import with_batch
from edgeau_export.tensorrt.graph import Graph
from edgeau_export.tensorrt.placed import placed
from edgeau_export.tensorrt.placement import can_be_integer, place, squeezed_maps
from edgeau_export.tensorrt.ranges import Quantization, taken_apart
from edgeau_export.tensorrt.rules import RULES

from .conftest import SPEC, Builder

BLOCKS = ("one", "two")


def run(model: onnx.ModelProto, pictures: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    batch = Preprocessor(SPEC).batch(pictures)
    return np.concatenate([session.run(None, {"input": crop[None]})[0] for crop in batch])


def dequantized(graph: Graph, node: str) -> list[bool]:
    found = next(item for item in graph.model.graph.node if item.output[0] == node)
    return [graph.made_by(name) == "DequantizeLinear" for name in found.input]


@pytest.fixture(scope="session")
def graph(placed_graph: onnx.ModelProto) -> Graph:
    return Graph(placed_graph)


def test_taken_apart_is_the_float_network(
    network: onnx.ModelProto, apart: tuple[onnx.ModelProto, Quantization], pictures: np.ndarray
):
    kinds = Counter(node.op_type for node in apart[0].graph.node)
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(kinds)
    assert kinds["Conv"] == sum(node.op_type == "Conv" for node in network.graph.node)
    # Learned weights differ from the network's own by less than a step.
    assert np.abs(run(apart[0], pictures) - run(network, pictures)).max() < 0.2


def test_weights_stored_as_integers_come_back_as_floats(placed_graph: onnx.ModelProto):
    stored = onnx.ModelProto()
    stored.CopyFrom(placed_graph)
    view = Graph(stored)
    for node in list(stored.graph.node):
        if node.op_type == "QuantizeLinear" and node.input[0] in view.constants:
            scale = view.value(node.input[1]).reshape(-1, 1, 1, 1)
            integers = np.clip(np.round(view.value(node.input[0]) / scale), -128, 127).astype(np.int8)
            view.constants[node.input[0]].CopyFrom(onnx.numpy_helper.from_array(integers, node.input[0]))
            dequantize = view.readers[node.output[0]][0][0]
            dequantize.input[0] = node.input[0]
            stored.graph.node.remove(node)
    onnx.checker.check_model(stored)
    again, quantization = taken_apart(stored)
    assert {item.data_type for item in again.graph.initializer} <= {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    }
    for name, scale in taken_apart(placed_graph)[1].weights.items():
        np.testing.assert_allclose(quantization.weights[name], scale)


def test_ranges_with_a_zero_point_become_symmetric_ones(network: onnx.ModelProto, pictures: np.ndarray):
    """A recipe for processors has unsigned activations, integer weights and integer biases."""
    recipe = with_batch(static_int8(network, pictures, SPEC, load_recipe("plain")), 1)
    view = Graph(recipe)
    kinds = {view.value(n.input[2]).dtype.name for n in recipe.graph.node if n.op_type == "QuantizeLinear"}
    assert kinds == {"uint8"}
    model, quantization = taken_apart(recipe)
    onnx.checker.check_model(model, full_check=True)
    assert np.abs(run(model, pictures) - run(network, pictures)).max() < 0.2
    for node in recipe.graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] not in view.constants:
            scale, zero = (float(view.value(name)) for name in node.input[1:])
            largest = 127 * quantization.activations[node.input[0]]
            assert largest == pytest.approx(scale * max(zero, 255 - zero), rel=1e-5)
    result = placed(recipe, network)
    assert not [fault for rule in RULES if rule.__name__ != "operators" for fault in rule(Graph(result))]
    assert np.abs(run(result, pictures) - run(recipe, pictures)).max() < 0.3 * np.ptp(run(recipe, pictures))


@pytest.mark.parametrize(
    "name", ["stem", *(f"{b}_{part}" for b in BLOCKS for part in ("expand", "depthwise", "project"))]
)
def test_convolutions_have_pairs_on_data_and_weights_and_none_on_the_bias(graph: Graph, name: str):
    assert dequantized(graph, name) == [True, True, False]


@pytest.mark.parametrize(
    "name", ["logits", *(f"{b}_{part}" for b in BLOCKS for part in ("reduce", "gate_conv"))]
)
def test_gates_and_classifier_are_integer_too_since_their_weights_were_learned_so(graph: Graph, name: str):
    assert dequantized(graph, name) == [True, True, False]


@pytest.mark.parametrize("name", ["stem_out", "one_expanded", "one_map", "two_map"])
def test_nothing_stands_inside_a_silu(graph: Graph, name: str):
    assert dequantized(graph, name) == [False, False]
    assert dequantized(graph, f"{name}_sigmoid") == [False]


@pytest.mark.parametrize("name", BLOCKS)
def test_of_a_residual_sum_the_skipping_input_alone_has_a_pair(graph: Graph, name: str):
    assert dequantized(graph, f"{name}_sum") == [False, True]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_squeezed_map_is_quantized_once_for_pooling_and_product(graph: Graph, name: str):
    assert dequantized(graph, f"{name}_pooled") == [True]
    assert dequantized(graph, f"{name}_scaled") == [True, False]


def test_one_pair_a_tensor(graph: Graph):
    sources = Counter(node.input[0] for node in graph.model.graph.node if node.op_type == "QuantizeLinear")
    assert set(sources.values()) == {1}


def test_a_map_without_a_range_keeps_its_gate_in_float(apart: tuple[onnx.ModelProto, Quantization]):
    model, quantization = apart
    placement = place(Graph(model), quantization)
    assert not any(
        reader.endswith(("_scaled", "_pooled"))
        for readers in placement.inputs.values()
        for reader, _ in readers
    )


def test_convolutions_that_the_budget_put_back_stay_in_float(apart: tuple[onnx.ModelProto, Quantization]):
    model, quantization = apart
    weights = {name: scale for name, scale in quantization.weights.items() if name != "two_project"}
    placement = place(Graph(model), Quantization(weights, quantization.activations))
    assert "two_project" not in placement.convolutions
    readers = {reader for found in placement.inputs.values() for reader, _ in found}
    assert "two_project" not in readers
    assert "two_sum" not in readers, "a sum beside a float convolution has nothing to be fused into"
    assert "one_sum" in readers


def test_maps_that_want_a_range(apart: tuple[onnx.ModelProto, Quantization]):
    assert squeezed_maps(Graph(apart[0]), apart[1]) == ["one_map", "two_map"]


@pytest.mark.parametrize(
    ("channels", "groups", "fits"),
    [
        ((8, 8), 1, True),
        ((8, 8), 8, True),
        ((16, 16), 4, True),
        ((8, 8), 4, False),
        ((8, 16), 8, False),
        ((3, 5), 1, True),
    ],
)
def test_groups_that_have_integer_kernels(channels: tuple[int, int], groups: int, fits: bool):
    b = Builder()
    b.conv("x", "y", channels, 3, groups=groups)
    graph = Graph(onnx.helper.make_model(onnx.helper.make_graph(b.nodes, "g", [], [], b.constants)))
    assert can_be_integer(graph, b.nodes[0], "y_w") == fits


def test_answers_are_those_of_the_recipe(recipe_graph, placed_graph, artifact, pictures):
    """More pairs, and half precision, cost no more than what INT8 costs anyway."""
    recipe, pairs, half = (run(model, pictures) for model in (recipe_graph, placed_graph, artifact))
    spread = np.ptp(recipe)
    assert np.abs(pairs - recipe).max() < 0.1 * spread
    assert np.abs(half - pairs).max() < 0.05 * spread


def test_what_tensorrt_cannot_do_in_integers_has_its_own_weights(
    network: onnx.ModelProto, recipe_graph: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
):
    """Learned weights belong to integer inputs: without their cut ends an unusual face makes them answer nonsense."""
    monkeypatch.setattr(
        "edgeau_export.tensorrt.placement.can_be_integer",
        lambda graph, node, weights: weights != "one_reduce_w",
    )
    before, after = Graph(network), Graph(placed(recipe_graph, network))
    for index in (1, 2):
        np.testing.assert_array_equal(
            after.value(after.producer["one_reduce"].input[index]), before.value(f"one_reduce_{' wb'[index]}")
        )
    assert dequantized(after, "one_reduce") == [False, False, False]
