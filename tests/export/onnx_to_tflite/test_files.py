"""What is in the file: sizes, metadata, alignment, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import helper

from edgeau.errors import UsageError, UserError
from edgeau.runtimes.tflite_file import check_tflite
from edgeau_export.onnx_to_tflite import PRECISIONS, ConversionError, tflite_bytes
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.onnx_to_tflite.writer import read_metadata
from tests.export.onnx_to_tflite.small_graphs import converted, graph_of, operators, run_onnx, run_tflite

FLOAT = [name for name, precision in PRECISIONS.items() if not precision.quantized]


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    """Wide enough that its weights are the file."""
    random = np.random.default_rng(7)
    shapes = {"w1": (64, 6, 3, 3), "w2": (64, 1, 3, 3), "w3": (256, 64, 1, 1), "w4": (18, 256)}
    constants = {
        name: (random.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        for name, shape in shapes.items()
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["a", "w2"], ["b"], group=64, pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["b", "w3"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "w4"], ["y"], transB=1),
    ]
    return graph_of(nodes, (1, 6, 14, 12), constants)


@pytest.mark.parametrize(
    ("precision", "share", "error"),
    [("fp32", 1.0, 1e-5), ("fp16", 0.5, 2e-3), ("weight8", 0.25, 2e-2), ("dynamic", 0.25, 2e-2)],
)
def test_size_and_answers_of_each_precision(
    network: onnx.ModelProto, pictures: np.ndarray, precision: str, share: float, error: float
) -> None:
    content = converted(network, precision)
    weights = sum(np.prod(item.dims) * 4 for item in network.graph.initializer)
    assert len(content) == pytest.approx(weights * share, abs=12_000)
    np.testing.assert_allclose(run_tflite(content, pictures), run_onnx(network, pictures), atol=error)


def test_dynamic_range_kernels_see_int8_weights_where_every_runtime_has_them(
    network: onnx.ModelProto,
) -> None:
    """One scale per channel: CONV_2D has such a hybrid kernel everywhere, FULLY_CONNECTED in new runtimes only."""
    assert "FULLY_CONNECTED" in operators(converted(network, "fp32"))
    assert "FULLY_CONNECTED" not in operators(converted(network, "dynamic"))


def test_the_same_graph_gives_the_same_bytes(network: onnx.ModelProto) -> None:
    assert converted(network) == converted(network)


@pytest.mark.parametrize("precision", FLOAT)
def test_the_file_is_whole_and_its_arrays_are_aligned(network: onnx.ModelProto, precision: str) -> None:
    content = converted(network, precision)
    check_tflite(content, "the file")
    root = tables.Model.GetRootAs(content, 0)
    for number in range(root.BuffersLength()):
        data = root.Buffers(number)
        if data.DataLength():
            place = data._tab.Vector(data._tab.Offset(4))
            assert place % 16 == 0


def test_metadata_travels_in_the_file(network: onnx.ModelProto) -> None:
    said = {"network": "Netz für Übungen", "labels": json.dumps(["AU1", "AU2"]), "trained": "false"}
    content = tflite_bytes(network, precision="fp16", metadata=said)
    read = read_metadata(content)
    assert read.items() >= {**said, "precision": "fp16"}.items()
    assert "edgeau" in read


def test_the_model_given_is_left_as_it_is(network: onnx.ModelProto) -> None:
    before = network.SerializeToString()
    converted(network)
    assert network.SerializeToString() == before


def _refused(model: onnx.ModelProto, precision: str = "fp32") -> str:
    with pytest.raises(UserError) as caught:
        converted(model, precision)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_operator_without_a_form_is_named_with_its_node(pictures: np.ndarray) -> None:
    node = helper.make_node("Tan", ["x"], ["y"], name="/head/wave/Tan")
    message = _refused(graph_of([node], pictures.shape))
    assert "Tan (node '/head/wave/Tan') has no TFLite form here; known are Abs, Add" in message
    assert "--target cpu" in message


def test_float_and_quantized_precisions_do_not_mix(network: onnx.ModelProto) -> None:
    assert "int8 starts from a Q/DQ graph" in _refused(network, "int8")
    constants = {"s": np.array(0.1, np.float32), "z": np.array(128, np.uint8)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    assert "fp32 starts from a float graph" in _refused(graph_of(nodes, (1, 3, 4, 4), constants))


def test_an_unknown_precision_lists_the_known(network: onnx.ModelProto) -> None:
    with pytest.raises(UsageError, match="'int4' is not known to LiteRT; it has fp32, fp16"):
        converted(network, "int4")


def test_a_fixed_batch_that_is_not_one(network: onnx.ModelProto) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(network)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    with pytest.raises(ConversionError, match="batch 4 fixed in x"):
        converted(model)


CANNOT: dict[str, tuple[onnx.NodeProto, dict[str, np.ndarray], str]] = {
    "uncounted padding": (
        helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[2, 2, 2, 2]),
        {},
        "count_include_pad",
    ),
    "backwards": (
        helper.make_node("Slice", ["x", "a", "b", "c", "d"], ["y"]),
        {n: np.array([v], np.int64) for n, v in zip("abcd", (-1, -9, 3, -1), strict=True)},
        "runs backwards",
    ),
    "mirrored": (
        helper.make_node("Pad", ["x", "p"], ["y"], mode="reflect"),
        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)},
        "constant",
    ),
}


@pytest.mark.parametrize(("node", "constants", "said"), CANNOT.values(), ids=CANNOT)
def test_what_cannot_be_said_exactly_is_refused(
    pictures: np.ndarray, node: onnx.NodeProto, constants: dict[str, np.ndarray], said: str
) -> None:
    assert said in _refused(graph_of([node], pictures.shape, constants))


def test_without_the_schema_the_install_command_is_said(
    network: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in list(sys.modules):
        if (
            name.startswith(("edgeau_export.onnx_to_tflite.", "ai_edge_litert"))
            and name.rpartition(".")[2] != "errors"
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    assert "pip install" in _refused(network)
