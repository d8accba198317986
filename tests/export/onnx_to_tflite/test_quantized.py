"""The Q/DQ graph in LiteRT: the same integers, and float only where the graph leaves it."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe
from edgeau_export.onnx_to_tflite.graph import ConversionError
from edgeau_export.onnx_to_tflite.schema import tables
from tests.export.onnx_to_tflite.small_graphs import (
    converted,
    graph_of,
    interpreter,
    operators,
    run_onnx,
    run_tflite,
)

_SIZE = 24


def _network(seed: int = 3) -> onnx.ModelProto:
    """What the zoo is made of: convolutions of all kinds, SiLU, squeeze-excite, a residual, pooling, parts, a matrix."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    constants = {
        "w1": weights(8, 3, 3, 3),
        "b1": weights(8, 1).reshape(-1),
        "w2": weights(8, 1, 3, 3),
        "w3": weights(4, 8, 1, 1),
        "w4": weights(8, 4, 1, 1),
        "w5": weights(8, 8, 1, 1),
        "from": np.array([0], np.int64),
        "half": np.array([4], np.int64),
        "to": np.array([8], np.int64),
        "axis": np.array([1], np.int64),
        "w6": weights(18, 8 * 25),
        "b6": weights(18, 1).reshape(-1),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["c1"], ["s1"]),
        helper.make_node("Mul", ["c1", "s1"], ["a1"]),
        helper.make_node("Conv", ["a1", "w2"], ["c2"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["a2"]),
        helper.make_node("ReduceMean", ["a2"], ["m"], axes=[2, 3], keepdims=1),
        helper.make_node("Conv", ["m", "w3"], ["c3"]),
        helper.make_node("Relu", ["c3"], ["a3"]),
        helper.make_node("Conv", ["a3", "w4"], ["c4"]),
        helper.make_node("Sigmoid", ["c4"], ["g"]),
        helper.make_node("Mul", ["a2", "g"], ["e"]),
        helper.make_node("Conv", ["e", "w5"], ["c5"]),
        helper.make_node("Add", ["c5", "a1"], ["r"]),
        helper.make_node("Slice", ["r", "from", "half", "axis"], ["p1"]),
        helper.make_node("Slice", ["r", "half", "to", "axis"], ["p2"]),
        helper.make_node("AveragePool", ["p1"], ["q1"], kernel_shape=[4, 4], strides=[2, 2]),
        helper.make_node("MaxPool", ["p2"], ["q2"], kernel_shape=[4, 4], strides=[2, 2]),
        helper.make_node("Flatten", ["q1"], ["f1"]),
        helper.make_node("Flatten", ["q2"], ["f2"]),
        helper.make_node("Concat", ["f1", "f2"], ["f"], axis=1),
        helper.make_node("Gemm", ["f", "w6", "b6"], ["y"], transB=1),
    ]
    return graph_of(nodes, (1, 3, _SIZE, _SIZE), constants)


_SPEC = InputSpec(size=(_SIZE, _SIZE))


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """Smooth pictures, uint8 (16, 24, 24, 3)."""
    coarse = np.random.default_rng(5).uniform(0, 255, (16, 6, 6, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def batch(crops: np.ndarray) -> np.ndarray:
    from edgeau.bundle.preprocessing import Preprocessor

    return Preprocessor(_SPEC).batch(crops).copy()


@pytest.fixture(scope="module")
def quantized(crops: np.ndarray) -> onnx.ModelProto:
    return static_int8(_network(), crops, _SPEC, load_recipe("plain"))


def test_the_same_weights_scales_and_zero_points(quantized: onnx.ModelProto) -> None:
    weights = {item.name: numpy_helper.to_array(item) for item in quantized.graph.initializer}
    kernels = {
        node.output[0]: [weights[name] for name in node.input]
        for node in quantized.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in weights
    }
    opened = interpreter(converted(quantized, "int8"))
    found = 0
    for tensor in opened.get_tensor_details():
        if tensor["name"] in kernels and tensor["dtype"] == np.int8:
            stored, scale, _ = kernels[tensor["name"]]
            ours = opened.get_tensor(tensor["index"])
            assert sorted(ours.reshape(-1).tolist()) == sorted(stored.reshape(-1).tolist())
            np.testing.assert_array_equal(tensor["quantization_parameters"]["scales"], scale.reshape(-1))
            found += 1
    assert found == 6


def test_everything_between_q_and_dq_runs_in_integers(quantized: onnx.ModelProto) -> None:
    opened = interpreter(converted(quantized, "int8"))
    floats = [t["name"] for t in opened.get_tensor_details() if t["dtype"] == np.float32 and t["name"]]
    ends = {opened.get_input_details()[0]["name"], opened.get_output_details()[0]["name"]}
    assert set(floats) == ends


def test_answers_are_those_of_the_onnx_file(quantized: onnx.ModelProto, batch: np.ndarray) -> None:
    expected, answer = run_onnx(quantized, batch), run_tflite(converted(quantized, "int8"), batch)
    step = _output_scale(quantized)
    # A rounding that falls the other way early on may move an answer by a few steps, of 255.
    assert np.abs(answer - expected).max() <= 4 * step
    assert np.abs(answer - expected).mean() <= step


def test_sixteen_bit_activations_lose_nothing(quantized: onnx.ModelProto, batch: np.ndarray) -> None:
    """What is left of the error is the rounding of the weights."""
    answer = run_tflite(converted(quantized, "w8a16"), batch)
    np.testing.assert_allclose(answer, run_onnx(_with_rounded_weights(quantized), batch), atol=1e-2)


def test_a_graph_that_is_sixteen_bit_already(crops: np.ndarray, batch: np.ndarray) -> None:
    model = static_int8(_network(), crops, _SPEC, load_recipe("wide"))
    answer = run_tflite(converted(model, "w8a16"), batch)
    np.testing.assert_allclose(answer, run_onnx(model, batch), atol=1e-2)


def test_logistic_writes_the_scale_that_its_kernel_insists_on(quantized: onnx.ModelProto) -> None:
    for precision, scale, zero_point in (("int8", 1 / 256, -128), ("w8a16", 1 / 32768, 0)):
        root = tables.ModelT.InitFromPackedBuf(converted(quantized, precision), 0)
        codes = [code.builtinCode for code in root.operatorCodes]
        graph = root.subgraphs[0]
        logistic = [op for op in graph.operators if codes[op.opcodeIndex] == tables.BuiltinOperator.LOGISTIC]
        assert len(logistic) == 2
        for operator in logistic:
            quantization = graph.tensors[operator.outputs[0]].quantization
            assert (quantization.scale[0], quantization.zeroPoint[0]) == (np.float32(scale), zero_point)


def test_kernels_that_keep_their_scale_are_followed_by_a_rescaling(quantized: onnx.ModelProto) -> None:
    """AVERAGE_POOL_2D and CONCATENATION do not rescale: what does not fit is requantized."""
    root = tables.ModelT.InitFromPackedBuf(converted(quantized, "int8"), 0)
    codes = [code.builtinCode for code in root.operatorCodes]
    keeping = {
        getattr(tables.BuiltinOperator, name)
        for name in ("AVERAGE_POOL_2D", "CONCATENATION", "MAX_POOL_2D", "RESHAPE", "SLICE", "PAD")
    }
    graph, checked = root.subgraphs[0], 0
    for operator in graph.operators:
        if codes[operator.opcodeIndex] in keeping:
            ends = [graph.tensors[i] for i in (*operator.inputs, *operator.outputs)]
            quantizations = [t.quantization for t in ends if t.type == tables.TensorType.INT8]
            assert len({(q.scale[0], q.zeroPoint[0]) for q in quantizations}) == 1
            checked += 1
    assert checked >= 6


def test_an_operator_that_the_recipe_leaves_alone_is_a_float_island(
    crops: np.ndarray, batch: np.ndarray
) -> None:
    from dataclasses import replace

    recipe = replace(load_recipe("plain"), operators=("Conv", "Gemm"))
    model = static_int8(_network(), crops, _SPEC, recipe)
    content = converted(model, "int8")
    assert "DEQUANTIZE" in operators(content)
    step = _output_scale(model)
    assert np.abs(run_tflite(content, batch) - run_onnx(model, batch)).max() <= 4 * step


def test_the_interpreter_gives_the_graph_to_xnnpack(quantized: onnx.ModelProto) -> None:
    """All but MAX_POOL_2D, which cuts the graph in two."""
    names = [item["op_name"] for item in interpreter(converted(quantized, "int8"))._get_ops_details()]
    assert names.count("DELEGATE") == 2


@pytest.fixture(scope="module")
def local(crops: np.ndarray) -> onnx.ModelProto:
    """A locally connected layer: a matrix of its own for each of four places, as drml-lcn has them; quantized."""
    random = np.random.default_rng(4)
    constants = {
        "w1": random.normal(0, 0.05, (5, 3, 12, 12)).astype(np.float32),
        "line": np.array([0, 5, 4]),
        "places": random.normal(0, 0.4, (4, 5, 6)).astype(np.float32),
        "w2": random.normal(0, 0.2, (18, 24)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], strides=[12, 12]),
        helper.make_node("Reshape", ["c", "line"], ["l"]),
        helper.make_node("Transpose", ["l"], ["t"], perm=[2, 0, 1]),
        helper.make_node("MatMul", ["t", "places"], ["m"]),
        helper.make_node("Transpose", ["m"], ["u"], perm=[1, 0, 2]),
        helper.make_node("Flatten", ["u"], ["f"]),
        helper.make_node("Gemm", ["f", "w2"], ["y"], transB=1),
    ]
    graph = graph_of(nodes, (1, 3, _SIZE, _SIZE), constants)
    return static_int8(graph, crops, _SPEC, load_recipe("plain"))


def test_a_stack_of_matrices_has_one_scale_which_both_engines_compute_in_integers(
    local: onnx.ModelProto, batch: np.ndarray
) -> None:
    constants = {item.name: numpy_helper.to_array(item) for item in local.graph.initializer}
    assert constants["places_scale"].size == 1
    expected = run_onnx(local, batch)
    session = onnxruntime.InferenceSession(local.SerializeToString())
    (fused,) = session.run(None, {session.get_inputs()[0].name: batch})
    for answer in (fused, run_tflite(converted(local, "int8"), batch)):
        assert np.abs(answer - expected).max() <= 4 * _output_scale(local)
    content = converted(local, "w8a16")
    assert "BATCH_MATMUL" in operators(content)
    assert np.abs(run_tflite(content, batch) - expected).mean() <= _output_scale(local)


def test_a_stack_of_matrices_with_a_scale_a_row_is_refused(local: onnx.ModelProto) -> None:
    """The kernel would take the first scale for all, without a word."""
    model = onnx.ModelProto()
    model.CopyFrom(local)
    for item in model.graph.initializer:
        if item.name in ("places_scale", "places_zero_point"):
            one = numpy_helper.to_array(item).reshape(())
            item.CopyFrom(numpy_helper.from_array(np.full(5, one), item.name))
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] == "places_quantized":
            node.attribute.append(helper.make_attribute("axis", 1))
    for precision in ("int8", "w8a16"):
        with pytest.raises(ConversionError, match="5 scales; BATCH_MATMUL knows one"):
            converted(model, precision)


def _label_graph() -> onnx.ModelProto:
    """Labels as nodes whose messages an adjacency matrix mixes: a constant on the left of a product."""
    random = np.random.default_rng(8)
    constants = {
        "w": random.normal(0, 0.3, (12, 3, 3, 3)).astype(np.float32),
        "nodes": np.array([0, 6, -1], np.int64),
        # One label with many neighbours, others with few: scales a column differ by two orders.
        "adjacency": (random.random((6, 6)) * np.geomspace(0.01, 1, 6)).astype(np.float32),
        "feature": random.normal(0, 1, (2 * 11 * 11, 4)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["a"]),
        helper.make_node("Reshape", ["a", "nodes"], ["n"]),
        helper.make_node("MatMul", ["n", "feature"], ["f"]),
        helper.make_node("MatMul", ["adjacency", "f"], ["y"]),
    ]
    return graph_of(nodes, (1, 3, _SIZE, _SIZE), constants)


def test_a_matrix_on_the_left_has_one_scale_and_is_the_same_in_both_engines(
    crops: np.ndarray, batch: np.ndarray
) -> None:
    quantized = static_int8(_label_graph(), crops, _SPEC, load_recipe("quick"))
    values = {item.name: numpy_helper.to_array(item) for item in quantized.graph.initializer}
    assert values["adjacency_scale"].size == 1
    expected = run_onnx(quantized, batch)
    found = run_tflite(converted(quantized, "int8"), batch)
    assert np.abs(found - expected).max() <= 4 * _output_scale(quantized)
    assert np.abs(expected).max() > 20 * _output_scale(quantized)

    several = onnx.ModelProto()
    several.CopyFrom(quantized)
    for item in several.graph.initializer:
        if item.name in ("adjacency_scale", "adjacency_zero_point"):
            item.CopyFrom(
                numpy_helper.from_array(np.full(6, numpy_helper.to_array(item).reshape(())), item.name)
            )
    for node in several.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] == "adjacency_quantized":
            node.attribute.append(helper.make_attribute("axis", 1))
    with pytest.raises(
        ConversionError, match="adjacency_quantized|adjacency.* stands on the left and has 6 scales"
    ):
        converted(several, "int8")


def test_a_matrix_for_every_token_is_computed_in_integers(crops: np.ndarray, batch: np.ndarray) -> None:
    """What a transformer's heads multiply their tokens with."""
    random = np.random.default_rng(6)
    constants = {
        "w1": random.normal(0, 0.05, (5, 3, 12, 12)).astype(np.float32),
        "line": np.array([0, 5, 4]),
        "value": random.normal(0, 0.4, (5, 7)).astype(np.float32),
        "b": random.normal(0, 0.4, 7).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], strides=[12, 12]),
        helper.make_node("Reshape", ["c", "line"], ["l"]),
        helper.make_node("Transpose", ["l"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "value"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["a"]),
        helper.make_node("Flatten", ["a"], ["y"]),
    ]
    graph = graph_of(nodes, (1, 3, _SIZE, _SIZE), constants)
    model = static_int8(graph, crops, _SPEC, load_recipe("plain"))
    content = converted(model, "int8")
    assert operators(content).count("CONV_2D") == 2
    assert "FULLY_CONNECTED" not in operators(content)
    expected = run_onnx(model, batch)
    assert np.abs(run_tflite(content, batch) - expected).max() <= 2 * _output_scale(model)
    assert np.abs(run_tflite(converted(model, "w8a16"), batch) - expected).mean() <= _output_scale(model)


def _with_rounded_weights(quantized: onnx.ModelProto) -> onnx.ModelProto:
    """The float network with the numbers that the quantized one's integers stand for."""
    constants = {item.name: numpy_helper.to_array(item) for item in quantized.graph.initializer}
    model = _network()
    for node in quantized.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            name = node.output[0].removesuffix("_DequantizeLinear_Output")
            stored, scale = constants[node.input[0]], constants[node.input[1]]
            numbers = stored * scale.reshape(-1, *[1] * (stored.ndim - 1)).astype(np.float32)
            for item in model.graph.initializer:
                if item.name == name and stored.dtype == np.int8:
                    item.CopyFrom(numpy_helper.from_array(numbers, name))
    return model


def _output_scale(model: onnx.ModelProto) -> float:
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    last = next(n for n in model.graph.node if n.output[0] == model.graph.output[0].name)
    return float(constants[last.input[1]])


def test_gelu_is_one_integer_operator(crops: np.ndarray) -> None:
    """Its five nodes stay together in the Q/DQ graph, and LiteRT looks the answer up."""
    random = np.random.default_rng(4)
    numbers = {"root": 2**0.5, "one": 1.0, "half": 0.5}
    constants = {name: np.array(value, np.float32) for name, value in numbers.items()}
    constants |= {
        "w1": random.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "w2": random.normal(0, 0.3, (4, 8, 1, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"]),
        helper.make_node("Div", ["c", "root"], ["d"]),
        helper.make_node("Erf", ["d"], ["e"]),
        helper.make_node("Add", ["e", "one"], ["f"]),
        helper.make_node("Mul", ["c", "f"], ["g"]),
        helper.make_node("Mul", ["g", "half"], ["h"]),
        helper.make_node("Conv", ["h", "w2"], ["p"]),
        helper.make_node("GlobalAveragePool", ["p"], ["q"]),
        helper.make_node("Flatten", ["q"], ["y"]),
    ]
    model = graph_of(nodes, (1, 3, _SIZE, _SIZE), constants)
    quantized = static_int8(model, crops, _SPEC, load_recipe("quick"))
    content = converted(quantized, "int8")
    names = operators(content)
    assert names.count("GELU") == 1
    assert "DEQUANTIZE" not in names[names.index("GELU") - 1 : names.index("GELU") + 1]
    batch = Preprocessor(_SPEC).batch(crops).copy()
    expected, answer = run_onnx(quantized, batch), run_tflite(content, batch)
    of_float = run_onnx(model, batch)
    assert np.abs(answer - expected).max() < 0.05 * of_float.std()
    assert np.abs(answer - of_float).max() < 0.2 * of_float.std()
