"""Each ONNX operator answers in LiteRT as it does in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.export.onnx_to_tflite.small_graphs import converted, graph_of, operators, run_onnx, run_tflite

_RANDOM = np.random.default_rng(1)


def _weights(*shape: int) -> np.ndarray:
    return _RANDOM.normal(0, 0.4, shape).astype(np.float32)


# What the window of a convolution or pooling may be; the picture is 14 x 12.
WINDOWS: dict[str, dict[str, Any]] = {
    "valid": {"kernel_shape": [3, 3]},
    "same": {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
    "strided as torch pads it": {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]},
    "strided where the last pad is never reached": {
        "kernel_shape": [3, 3],
        "pads": [1, 1, 2, 2],
        "strides": [2, 2],
    },
    "uneven": {"kernel_shape": [3, 5], "pads": [0, 2, 1, 1], "strides": [1, 2]},
    "pixels": {"kernel_shape": [1, 1], "strides": [2, 2]},
}


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_convolutions(pictures: np.ndarray, window: dict[str, Any], groups: int) -> None:
    constants = {"w": _weights(12, 6 // groups, *window["kernel_shape"]), "b": _weights(12)}
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], group=groups, **window)
    _same_answers(graph_of([node], pictures.shape, constants), pictures)


def test_a_dilated_convolution(pictures: np.ndarray) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[2, 2, 2, 2], dilations=[2, 2])
    _same_answers(graph_of([node], pictures.shape, {"w": _weights(4, 6, 3, 3)}), pictures)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    "window", [w for w in WINDOWS.values() if "pads" not in w or w["pads"][0] == w["pads"][2]]
)
def test_pooling(pictures: np.ndarray, kind: str, window: dict[str, Any]) -> None:
    extra = {"count_include_pad": 1} if kind == "AveragePool" else {}
    node = helper.make_node(kind, ["x"], ["y"], **window, **extra)
    _same_answers(graph_of([node], pictures.shape), pictures)


def test_pooling_that_rounds_up(pictures: np.ndarray) -> None:
    node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    _same_answers(graph_of([node], pictures.shape), pictures)


UNARY: dict[str, dict[str, Any]] = {
    "Abs": {},
    "Erf": {},
    "Exp": {},
    "GlobalAveragePool": {},
    "HardSigmoid": {"alpha": 1 / 6, "beta": 0.5},
    "HardSwish": {},
    "LRN": {"size": 5, "alpha": 0.1, "beta": 0.75, "bias": 1.0},
    "LeakyRelu": {"alpha": 0.2},
    "Neg": {},
    "ReduceL2": {"axes": [2, 3], "keepdims": 1},
    "ReduceMax": {"axes": [1], "keepdims": 0},
    "ReduceMean": {"axes": [2, 3], "keepdims": 1},
    "Relu": {},
    "Sigmoid": {},
    "Softmax": {"axis": 1},
    "Tanh": {},
}


@pytest.mark.parametrize(("kind", "attributes"), UNARY.items(), ids=UNARY)
def test_one_picture_in(pictures: np.ndarray, kind: str, attributes: dict[str, Any]) -> None:
    node = helper.make_node(kind, ["x"], ["y"], **attributes)
    _same_answers(graph_of([node], pictures.shape), pictures)


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
@pytest.mark.parametrize("shape", [(1,), (6, 1, 1), (12,), (1, 6, 14, 12), (14, 12)])
def test_arithmetic_with_a_constant(pictures: np.ndarray, kind: str, shape: tuple[int, ...]) -> None:
    constants = {"c": np.abs(_weights(*shape)) + 0.5}
    for inputs in (["x", "c"], ["c", "x"]):
        positive = np.abs(pictures) + 0.5
        _same_answers(graph_of([helper.make_node(kind, inputs, ["y"])], pictures.shape, constants), positive)


@pytest.mark.parametrize("exponent", [2.0, 0.5, 0.75])
def test_powers(pictures: np.ndarray, exponent: float) -> None:
    node = helper.make_node("Pow", ["x", "e"], ["y"])
    model = graph_of([node], pictures.shape, {"e": np.array(exponent, np.float32)})
    _same_answers(model, np.abs(pictures) + 0.1)


@pytest.mark.parametrize("bounds", [(0, 6), (-1, 1), (0, 1), (-0.3, 0.7), (0, None), (None, 0.5)])
def test_clip(pictures: np.ndarray, bounds: tuple[float | None, float | None]) -> None:
    named = [(name, bound) for name, bound in zip(("low", "high"), bounds, strict=True)]
    constants = {name: np.array(bound, np.float32) for name, bound in named if bound is not None}
    node = helper.make_node("Clip", ["x", *(n if b is not None else "" for n, b in named)], ["y"])
    _same_answers(graph_of([node], pictures.shape, constants), pictures)


def test_prelu_and_batch_normalization(pictures: np.ndarray) -> None:
    names = ["scale", "offset", "mean", "variance"]
    constants = {name: np.abs(_weights(6)) + 0.1 for name in names} | {"slope": _weights(6, 1, 1)}
    nodes = [
        helper.make_node("PRelu", ["x", "slope"], ["bent"]),
        helper.make_node("BatchNormalization", ["bent", *names], ["y"]),
    ]
    _same_answers(graph_of(nodes, pictures.shape, constants), pictures)


SHAPES: dict[str, tuple[str, list[int]]] = {
    "flat": ("Reshape", [-1, 6 * 14 * 12]),
    "rows": ("Reshape", [-1, 6 * 14, 12]),
    "channels apart": ("Reshape", [-1, 2, 3, 14, 12]),
    "patches": ("Reshape", [-1, 6, 7, 2, 4, 3]),
    "mixed": ("Reshape", [-1, 12, 14, 6]),
    "one more axis": ("Unsqueeze", [1]),
}


@pytest.mark.parametrize(("kind", "target"), SHAPES.values(), ids=SHAPES)
def test_shapes(pictures: np.ndarray, kind: str, target: list[int]) -> None:
    node = helper.make_node(kind, ["x", "t"], ["y"])
    _same_answers(graph_of([node], pictures.shape, {"t": np.array(target, np.int64)}), pictures)


def test_patches_to_channels_and_back(pictures: np.ndarray) -> None:
    """DRML's region layer: cut into patches, convolve each by its own filters, put together again."""
    constants = {
        "cut": np.array([-1, 6, 2, 7, 2, 6], np.int64),
        "stack": np.array([-1, 24, 7, 6], np.int64),
        "unstack": np.array([-1, 2, 2, 6, 7, 6], np.int64),
        "whole": np.array([-1, 6, 14, 12], np.int64),
        "w": _weights(24, 6, 3, 3),
    }
    nodes = [
        helper.make_node("Reshape", ["x", "cut"], ["a"]),
        helper.make_node("Transpose", ["a"], ["b"], perm=[0, 2, 4, 1, 3, 5]),
        helper.make_node("Reshape", ["b", "stack"], ["c"]),
        helper.make_node("Conv", ["c", "w"], ["d"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["d", "unstack"], ["e"]),
        helper.make_node("Transpose", ["e"], ["f"], perm=[0, 3, 1, 4, 2, 5]),
        helper.make_node("Reshape", ["f", "whole"], ["g"]),
        helper.make_node("Add", ["g", "x"], ["y"]),
    ]
    model = graph_of(nodes, pictures.shape, constants)
    _same_answers(model, pictures)
    assert operators(converted(model)).count("TRANSPOSE") == 3, "one each way, and the answer's"


def test_one_memory_under_two_names_of_its_axes(pictures: np.ndarray) -> None:
    """A Transpose moves nothing by itself; who reads the tensor under either name gets what that name means."""
    constants = {
        "w": _weights(4, 6, 3, 3),
        "v": _weights(4, 12, 3, 3),
        "flat": np.array([-1, 4 * 12 * 10], np.int64),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Conv", ["t", "v"], ["b"]),
        helper.make_node("Reshape", ["a", "flat"], ["c"]),
        helper.make_node("Flatten", ["b"], ["d"]),
        helper.make_node("Concat", ["c", "d"], ["y"], axis=1),
    ]
    _same_answers(graph_of(nodes, pictures.shape, constants), pictures)


def test_local_response_as_torch_writes_it(pictures: np.ndarray) -> None:
    constants = {
        "flat": np.array([-1, 6, 14 * 12], np.int64),
        "whole": np.array([-1, 6, 14, 12], np.int64),
        "one": np.array([1], np.int64),
        "alpha": np.array(0.3, np.float32),
        "k": np.array(1.0, np.float32),
        "beta": np.array(0.75, np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("Reshape", ["square", "flat"], ["a"]),
        helper.make_node("Unsqueeze", ["a", "one"], ["b"]),
        helper.make_node(
            "AveragePool", ["b"], ["c"], kernel_shape=[5, 1], pads=[2, 0, 2, 0], count_include_pad=1
        ),
        helper.make_node("Squeeze", ["c", "one"], ["d"]),
        helper.make_node("Reshape", ["d", "whole"], ["e"]),
        helper.make_node("Mul", ["e", "alpha"], ["f"]),
        helper.make_node("Add", ["f", "k"], ["g"]),
        helper.make_node("Pow", ["g", "beta"], ["h"]),
        helper.make_node("Div", ["x", "h"], ["y"]),
    ]
    model = graph_of(nodes, pictures.shape, constants)
    _same_answers(model, pictures)
    assert operators(converted(model))[0] == "LOCAL_RESPONSE_NORMALIZATION"


# As torch and others write x * (1 + erf(x / sqrt(2))) / 2.
GELUS: dict[str, list[tuple[str, list[str], str]]] = {
    "torch": [
        ("Div", ["x", "root"], "a"),
        ("Erf", ["a"], "b"),
        ("Add", ["b", "one"], "c"),
        ("Mul", ["x", "c"], "d"),
        ("Mul", ["d", "half"], "y"),
    ],
    "half first": [
        ("Mul", ["inverse", "x"], "a"),
        ("Erf", ["a"], "b"),
        ("Add", ["one", "b"], "c"),
        ("Mul", ["x", "half"], "d"),
        ("Mul", ["c", "d"], "y"),
    ],
}


@pytest.mark.parametrize("steps", GELUS.values(), ids=GELUS)
def test_gelu_by_the_error_function(pictures: np.ndarray, steps: list[tuple[str, list[str], str]]) -> None:
    numbers = {"root": 2**0.5, "inverse": 0.5**0.5, "one": 1.0, "half": 0.5}
    constants = {name: np.array(value, np.float32) for name, value in numbers.items()}
    nodes = [helper.make_node(kind, inputs, [output]) for kind, inputs, output in steps]
    model = graph_of(nodes, pictures.shape, constants)
    _same_answers(model, pictures)
    assert operators(converted(model))[0] == "GELU"


def test_what_only_looks_like_gelu_keeps_its_operators(pictures: np.ndarray) -> None:
    """Another divisor, and another factor: near GELU, and not GELU."""
    for root, half in ((1.5, 0.5), (2**0.5, 0.4)):
        constants = {
            name: np.array(value, np.float32) for name, value in (("root", root), ("one", 1), ("half", half))
        }
        nodes = [helper.make_node(kind, inputs, [output]) for kind, inputs, output in GELUS["torch"]]
        model = graph_of(nodes, pictures.shape, constants)
        _same_answers(model, pictures)
        assert "GELU" not in operators(converted(model))


@pytest.mark.parametrize("shape", [[1, 6, 14, 12], [12], [6, 1, 1]])
def test_expand(pictures: np.ndarray, shape: list[int]) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1, 2], keepdims=1),
        helper.make_node("Expand", ["m", "t"], ["y"]),
    ]
    _same_answers(graph_of(nodes, pictures.shape, {"t": np.array(shape, np.int64)}), pictures)


@pytest.mark.parametrize("step", [1, 2])
def test_slice_concat_and_split(pictures: np.ndarray, step: int) -> None:
    constants = {
        "from": np.array([1, -9], np.int64),
        "to": np.array([1 << 62, -1], np.int64),
        "axes": np.array([1, 3], np.int64),
        "steps": np.array([1, step], np.int64),
        "parts": np.array([2, 3], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axes", "steps"], ["a"]),
        helper.make_node("Split", ["a", "parts"], ["b", "c"], axis=1),
        helper.make_node("Concat", ["c", "b", "c"], ["y"], axis=1),
    ]
    _same_answers(graph_of(nodes, pictures.shape, constants), pictures)


@pytest.mark.parametrize("fill", [0.0, -2.0])
def test_pad(pictures: np.ndarray, fill: float) -> None:
    constants = {"p": np.array([0, 1, 2, 0, 0, 0, 1, 3], np.int64), "v": np.array(fill, np.float32)}
    _same_answers(
        graph_of([helper.make_node("Pad", ["x", "p", "v"], ["y"])], pictures.shape, constants), pictures
    )


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_flattened_picture_meets_a_matrix_without_moving(pictures: np.ndarray, transposed: int) -> None:
    size = 6 * 14 * 12
    shape = (5, size) if transposed else (size, 5)
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Flatten", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "w", "c"], ["y"], transB=transposed, alpha=0.5, beta=2.0),
    ]
    model = graph_of(nodes, pictures.shape, {"w": _weights(*shape), "c": _weights(5)})
    _same_answers(model, pictures)
    assert not transposed or "TRANSPOSE" not in operators(converted(model))


def test_attention_and_the_nearest_neighbours(pictures: np.ndarray) -> None:
    """What the USTC networks add: tokens, scores, the best k of them, layer normalization."""
    constants = {
        "tokens": np.array([-1, 6, 168], np.int64),
        "w": _weights(168, 16),
        "bias": _weights(16),
        "k": np.array([3], np.int64),
        "last": np.array([-1], np.int64),
        "end": np.array([1 << 62], np.int64),
        "axis": np.array([2], np.int64),
        "gain": _weights(16),
        "place": np.array(-2, np.int64),
    }
    nodes = [
        helper.make_node("Reshape", ["x", "tokens"], ["t"]),
        helper.make_node("MatMul", ["t", "w"], ["a"]),
        helper.make_node("Add", ["bias", "a"], ["q"]),
        helper.make_node("Transpose", ["q"], ["k_t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "k_t"], ["scores"]),
        helper.make_node("TopK", ["scores", "k"], ["best", "where"]),
        helper.make_node("Slice", ["best", "last", "end", "axis"], ["least"]),
        helper.make_node("GreaterOrEqual", ["scores", "least"], ["near"]),
        helper.make_node("Cast", ["near"], ["mask"], to=1),
        helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
        helper.make_node("Mul", ["weights", "mask"], ["masked"]),
        helper.make_node("MatMul", ["masked", "q"], ["mixed"]),
        helper.make_node("LayerNormalization", ["mixed", "gain", "bias"], ["normal"], axis=-1),
        helper.make_node("Gather", ["normal", "place"], ["y"], axis=1),
    ]
    _same_answers(graph_of(nodes, pictures.shape, constants), pictures)


def test_shape_arithmetic_is_done_once(pictures: np.ndarray) -> None:
    constants = {"zero": np.array([0], np.int64), "rest": np.array([6 * 14 * 12], np.int64)}
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Concat", ["n", "rest"], ["t"], axis=0),
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Reshape", ["a", "t"], ["y"]),
    ]
    model = graph_of(nodes, pictures.shape, constants)
    _same_answers(model, pictures)
    assert operators(converted(model)) == ["RELU", "TRANSPOSE", "RESHAPE"]


def test_activations_are_the_end_of_what_is_before_them(pictures: np.ndarray) -> None:
    constants = {"w": _weights(6, 6, 1, 1), "low": np.array(0, np.float32), "high": np.array(6, np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Clip", ["a", "low", "high"], ["b"]),
        helper.make_node("Add", ["b", "x"], ["c"]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    model = graph_of(nodes, pictures.shape, constants)
    _same_answers(model, pictures)
    assert operators(converted(model)) == ["CONV_2D", "ADD", "TRANSPOSE"], (
        "the last one brings the answer back to NCHW"
    )


def _same_answers(model: Any, batch: np.ndarray) -> None:
    expected, answer = run_onnx(model, batch), run_tflite(converted(model), batch)
    assert answer.shape == expected.shape
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4)
