from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from edgeau_calibration.graph.block_partition import blocks
from edgeau_calibration.graph.normalized_streams import sums_of_streams
from edgeau_calibration.graph.view import GraphView
from edgeau_export.converters.tensorrt.half import with_half_precision
from edgeau_export.converters.tensorrt.placed import place_pairs
from edgeau_export.converters.tensorrt.rules import faults
from edgeau_export.source_network.onnx_graph import with_batch
from tests.export.onnx_to_tflite.small_graphs import graph_of


def _transformer(*, normalized: bool) -> onnx.ModelProto:
    """Two blocks of tokens: (normalize,) multiply, add to the stream."""
    random = np.random.default_rng(0)
    constants = {"gain": np.ones(8, np.float32), "bias": np.zeros(8, np.float32)}
    nodes, stream = [], "x"
    for number in range(2):
        constants[f"w{number}"] = random.normal(size=(8, 8)).astype(np.float32)
        read, product, end = f"n{number}", f"p{number}", "y" if number else "s"
        if normalized:
            nodes.append(
                helper.make_node("LayerNormalization", [stream, "gain", "bias"], [read], name=read, axis=-1)
            )
        else:
            nodes.append(helper.make_node("Relu", [stream], [read], name=read))
        nodes.append(helper.make_node("MatMul", [read, f"w{number}"], [product], name=product))
        nodes.append(helper.make_node("Add", [product, stream], [end], name=end))
        stream = end
    return graph_of(nodes, (1, 4, 8), constants)


def test_sums_stay_in_float_where_rows_are_normalized() -> None:
    assert sums_of_streams(_transformer(normalized=True).graph) == ("s", "y")
    assert sums_of_streams(_transformer(normalized=False).graph) == ()


def test_layer_normalization_of_older_exporters_is_known() -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[-1]),
        helper.make_node("Sub", ["x", "m"], ["c"]),
        helper.make_node("Mul", ["c", "c"], ["q"]),
        helper.make_node("ReduceMean", ["q"], ["v"], axes=[-1]),
        helper.make_node("Sqrt", ["v"], ["r"]),
        helper.make_node("Div", ["c", "r"], ["n"]),
        helper.make_node("Add", ["n", "x"], ["y"], name="sum"),
    ]
    assert sums_of_streams(graph_of(nodes, (1, 4, 8)).graph) == ("sum",)


def _both_kinds(*, normalized_behind: bool) -> onnx.ModelProto:
    """A residual sum of convolutions, then (or at once) rows that are normalized, as in MobileViT."""
    random = np.random.default_rng(0)
    constants = {f"w{number}": random.normal(size=(8, 8, 1, 1)).astype(np.float32) for number in range(3)}
    constants |= {"gain": np.ones(8, np.float32), "bias": np.zeros(8, np.float32)}
    moved = "sum" if normalized_behind else "c2"
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c0"], name="c0"),
        helper.make_node("Relu", ["c0"], ["r0"], name="r0"),
        helper.make_node("Conv", ["r0", "w1"], ["c1"], name="c1"),
        helper.make_node("Add", ["r0", "c1"], ["sum"], name="sum"),
        helper.make_node("Conv", ["sum", "w2"], ["c2"], name="c2"),
        helper.make_node("Transpose", [moved], ["rows"], name="rows", perm=[0, 2, 3, 1]),
        helper.make_node("LayerNormalization", ["rows", "gain", "bias"], ["y"], name="y", axis=-1),
    ]
    return graph_of(nodes, (1, 8, 4, 4), constants)


def test_a_residual_sum_of_convolutions_is_a_sum_like_any_other() -> None:
    assert sums_of_streams(_both_kinds(normalized_behind=False).graph) == ()
    assert sums_of_streams(_both_kinds(normalized_behind=True).graph) == ("sum",)


def test_tensorrt_takes_both_kinds_of_sums() -> None:
    """One is fused into its convolution, so its other side has a pair; one is added in half precision."""
    for behind in (False, True):
        model = with_batch(_both_kinds(normalized_behind=behind), 1)
        names = ["x", *(output for node in model.graph.node for output in node.output)]
        quantized = place_pairs(model, dict.fromkeys(names, (-3.0, 3.0)))
        assert not faults(quantized)
        assert not faults(with_half_precision(quantized))
        graph = GraphView(quantized.graph)
        paired = {graph.made_by(name) for name in graph.producer["sum"].input}
        assert ("DequantizeLinear" in paired) is not behind


def test_each_block_of_a_transformer_can_go_back_to_float() -> None:
    assert [unit.name for unit in blocks(_transformer(normalized=True).graph)] == ["p0", "p1"]


def test_tensorrt_multiplies_tokens_in_integers_and_adds_them_in_float() -> None:
    model = with_batch(_transformer(normalized=True), 1)
    names = ["x", *(output for node in model.graph.node for output in node.output)]
    quantized = place_pairs(model, dict.fromkeys(names, (-3.0, 3.0)))
    graph = GraphView(quantized.graph)
    assert not faults(quantized)
    for node in quantized.graph.node:
        paired = [graph.made_by(name) == "DequantizeLinear" for name in node.input]
        assert (
            all(paired)
            if node.op_type == "MatMul"
            else not any(paired)
            or node.op_type
            in (
                "QuantizeLinear",
                "DequantizeLinear",
            )
        ), node.name
    scales = [node for node in quantized.graph.node if node.name == "w0_QuantizeLinear"]
    assert scales[0].attribute[0].i == 1, "one scale for each column"
