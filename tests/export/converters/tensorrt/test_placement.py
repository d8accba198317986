"""Where pairs stand: NVIDIA's rules, on a network of the real one's kind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest

from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.algorithms.weight_optimization import with_learned_weights
from edgeau_calibration.graph.quantizable_layers import WEIGHTED
from edgeau_calibration.graph.view import GraphView, with_shapes
from edgeau_calibration.recipe import load_recipe
from edgeau_export.converters.tensorrt.placed import PlacedQuantization, place_pairs
from edgeau_export.converters.tensorrt.placement import can_be_integer, place
from edgeau_export.converters.tensorrt.qdq import activation_scales
from edgeau_export.converters.tensorrt.rules import RULES

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


def dequantized(graph: GraphView, node: str) -> list[bool]:
    found = next(item for item in graph.nodes if item.output[0] == node)
    return [graph.made_by(name) == "DequantizeLinear" for name in found.input]


@pytest.fixture(scope="session")
def graph(placed_graph: onnx.ModelProto) -> GraphView:
    return GraphView(placed_graph.graph)


def test_a_range_with_an_offset_becomes_the_symmetric_one_that_holds_it(float_graph: onnx.ModelProto):
    """What leaves a SiLU is -0.28 at least; a recipe for processors says so."""
    ranges = {name: (-0.28, 6.35) for node in float_graph.graph.node for name in (*node.input, *node.output)}
    result = place_pairs(float_graph, ranges)
    view = GraphView(result.graph)
    assert not [fault for rule in RULES if rule.__name__ != "operators" for fault in rule(view)]
    assert set(activation_scales(result).values()) == {float(np.float32(6.35 / 127))}


def test_weights_are_rounded_to_the_nearest_of_127_steps_a_channel(
    float_graph: onnx.ModelProto, pictures: np.ndarray
):
    result = place_pairs(float_graph, dict.fromkeys(("input", "stem_out"), (-3.0, 3.0)))
    view = GraphView(result.graph)
    scale = view.value("stem_w_scale")
    np.testing.assert_allclose(scale * 127, np.abs(view.value("stem_w")).max(axis=(1, 2, 3)), rtol=1e-6)
    assert np.abs(run(result, pictures) - run(float_graph, pictures)).max() < 0.2


def test_where_pairs_stand_is_the_same_at_every_start(float_graph: onnx.ModelProto):
    """Sets of names have another order in each process; two exports of one network are still the same file."""
    command = (
        "import hashlib, onnx, sys; from edgeau_export.converters.tensorrt.placed import place_pairs;"
        "model = onnx.load(sys.argv[1]);"
        "ranges = {name: (-3.0, 3.0) for node in model.graph.node for name in (*node.input, *node.output)};"
        "print(hashlib.sha256(place_pairs(model, ranges).SerializeToString(deterministic=True)).hexdigest())"
    )
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        onnx.save(float_graph, file.name)
        said = {
            subprocess.run(
                [sys.executable, "-c", command, file.name],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
    assert len(said) == 1


def test_weights_are_learned_behind_the_pairs_that_they_will_have(
    network: onnx.ModelProto, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
):
    """They make up for the rounding and the cut ends of just those pairs, and answer nonsense behind others."""
    learned_from = []

    def learn(start: onnx.ModelProto, *rest: object) -> onnx.ModelProto:
        learned_from.append(start)
        return with_learned_weights(start, *rest)

    monkeypatch.setattr("edgeau_calibration.quantizer.with_learned_weights", learn)
    result = PlacedQuantization(network, pictures, SPEC, load_recipe("symmetric")).graph()
    (start,) = learned_from
    assert list(start.graph.node) == list(result.graph.node)
    assert (
        GraphView(start.graph).value("one_project_w").tolist()
        != GraphView(result.graph).value("one_project_w").tolist()
    )


@pytest.mark.parametrize(
    "name", ["stem", *(f"{b}_{part}" for b in BLOCKS for part in ("expand", "depthwise", "project"))]
)
def test_convolutions_have_pairs_on_data_and_weights_and_none_on_the_bias(graph: GraphView, name: str):
    assert dequantized(graph, name) == [True, True, False]


@pytest.mark.parametrize(
    "name", ["logits", *(f"{b}_{part}" for b in BLOCKS for part in ("reduce", "gate_conv"))]
)
def test_gates_and_classifier_are_integer_too_since_their_weights_were_learned_so(
    graph: GraphView, name: str
):
    assert dequantized(graph, name) == [True, True, False]


@pytest.mark.parametrize("name", ["stem_out", "one_expanded", "one_map", "two_map"])
def test_nothing_stands_inside_a_silu(graph: GraphView, name: str):
    assert dequantized(graph, name) == [False, False]
    assert dequantized(graph, f"{name}_sigmoid") == [False]


@pytest.mark.parametrize("name", BLOCKS)
def test_of_a_residual_sum_the_skipping_input_alone_has_a_pair(graph: GraphView, name: str):
    assert dequantized(graph, f"{name}_sum") == [False, True]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_squeezed_map_is_quantized_once_for_pooling_and_product(graph: GraphView, name: str):
    assert dequantized(graph, f"{name}_pooled") == [True]
    assert dequantized(graph, f"{name}_scaled") == [True, False]


def test_one_pair_a_tensor(graph: GraphView):
    sources = Counter(node.input[0] for node in graph.nodes if node.op_type == "QuantizeLinear")
    assert set(sources.values()) == {1}


@pytest.fixture
def everything(float_graph: onnx.ModelProto) -> tuple[GraphView, set[str], set[str]]:
    """A float network, its convolutions by their output, and all its tensors."""
    nodes = float_graph.graph.node
    wanted = {node.output[0] for node in nodes if node.op_type in WEIGHTED}
    return (
        GraphView(with_shapes(float_graph).graph),
        wanted,
        {name for node in nodes for name in (*node.input, *node.output)},
    )


def test_a_map_without_a_range_keeps_its_gate_in_float(everything: tuple[GraphView, set[str], set[str]]):
    view, wanted, known = everything
    placement = place(view, wanted, known - {"one_map", "two_map"})
    assert "one_project" in placement.convolutions
    assert not any(
        reader.endswith(("_scaled", "_pooled"))
        for readers in placement.inputs.values()
        for reader, _ in readers
    )


def test_convolutions_that_the_budget_put_back_stay_in_float(
    everything: tuple[GraphView, set[str], set[str]],
):
    view, wanted, known = everything
    placement = place(view, wanted - {"two_project"}, known)
    assert "two_project" not in placement.convolutions
    readers = {reader for found in placement.inputs.values() for reader, _ in found}
    assert "two_project" not in readers
    assert "two_sum" not in readers, "a sum beside a float convolution has nothing to be fused into"
    assert "one_sum" in readers


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
    graph = GraphView(onnx.helper.make_graph(b.nodes, "g", [], [], b.constants))
    assert can_be_integer(graph, b.nodes[0], "y_w") == fits


def test_answers_are_those_of_the_recipe(recipe_graph, placed_graph, artifact, pictures):
    """More pairs, and half precision, cost no more than what INT8 costs anyway."""
    recipe, pairs, half = (run(model, pictures) for model in (recipe_graph, placed_graph, artifact))
    spread = np.ptp(recipe)
    assert np.abs(pairs - recipe).max() < 0.1 * spread
    assert np.abs(half - pairs).max() < 0.05 * spread


def test_what_tensorrt_cannot_do_in_integers_keeps_its_own_weights(
    network: onnx.ModelProto,
    float_graph: onnx.ModelProto,
    pictures: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
):
    """Learned weights belong to integer inputs: without their cut ends an unusual face makes them answer nonsense."""
    monkeypatch.setattr(
        "edgeau_export.converters.tensorrt.placement.can_be_integer",
        lambda graph, node, weights: weights != "one_reduce_w",
    )
    before = GraphView(float_graph.graph)
    after = GraphView(PlacedQuantization(network, pictures, SPEC, load_recipe("symmetric")).graph().graph)
    for own, kept in zip(
        before.producer["one_reduce"].input[1:], after.producer["one_reduce"].input[1:], strict=True
    ):
        np.testing.assert_array_equal(after.value(kept), before.value(own))
    assert dequantized(after, "one_reduce") == [False, False, False]
