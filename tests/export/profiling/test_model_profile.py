"""Two counters agree with each other and with the specification, and say what they did not count."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeau.bundle import packaged_bundle_path
from edgeau.errors import CheckpointError, InputError, UsageError
from edgeau_calibration.graph.macs import integer_share, macs_by_node
from edgeau_export.onnx_to_tflite import tflite_bytes
from edgeau_export.profiling import zoo
from edgeau_export.profiling.from_onnx import profile_of_onnx, profile_of_onnx_model
from edgeau_export.profiling.from_tflite import profile_of_tflite
from edgeau_export.profiling.model_profile import as_document, blocks, profile_from
from edgeau_export.profiling.zoo import zoo_names, zoo_profile

SPECIFIED = {
    "mrpnet": 9_906_988,
    "drml": 56_863_436,
    "siat-ir152": 70_749_399,
    "ustc-fixed": 69_007_797,
    "ustc-attn": 75_313_590,
}


@pytest.mark.parametrize(("name", "parameters"), SPECIFIED.items())
def test_packaged_profiles_have_the_specified_counts(name, parameters):
    profile = zoo_profile(name)
    assert profile.parameters == parameters == sum(layer.parameters for layer in profile.layers)
    assert profile.macs == sum(layer.macs for layer in profile.layers)
    assert not profile.unknown


@pytest.mark.parametrize("name", ["mrpnet", "drml", "ustc-attn", "mrpnet-mnv4s"])
def test_the_packaged_file_is_what_torch_counts_now(name):
    from edgeau_export.profiling.from_network import profile_of_zoo

    now = profile_of_zoo(name)
    packaged = zoo_profile(name)
    assert (now.parameters, now.macs, now.activations) == (
        packaged.parameters,
        packaged.macs,
        packaged.activations,
    )
    assert now.layers == packaged.layers


def test_every_network_of_the_catalogue_is_in_the_packaged_file():
    from edgeau_training.networks.catalogue import CATALOGUE

    assert zoo_names() == tuple(sorted(CATALOGUE))


def test_torchinfo_differs_by_what_it_counts_and_nothing_else():
    """torchinfo counts a product for each bias and each plain batch norm's parameter; torch's counter gives them none."""
    import torchinfo
    from torch import nn

    from edgeau_training.networks.catalogue import network_facts
    from edgeau_training.networks.counting import skeleton

    network = skeleton("mrpnet", network_facts("mrpnet").labels)
    theirs = torchinfo.summary(network, (1, 3, 224, 224), verbose=0, device="meta")
    ours = zoo_profile("mrpnet")
    modules = list(network.modules())
    # The biases are those of squeeze and excite, on 1x1 maps, and of the classifier.
    biases = sum(
        m.bias.numel() for m in modules if isinstance(m, nn.Conv2d | nn.Linear) and m.bias is not None
    )
    # The stem's norms hold an activation, and are no leaves to torchinfo: only the head's remain.
    norms = sum(m.weight.numel() + m.bias.numel() for m in modules if type(m) is nn.BatchNorm2d)
    assert theirs.total_params == ours.parameters
    assert theirs.total_mult_adds - ours.macs == biases + norms


def test_the_default_onnx_has_the_networks_products_and_folded_norms():
    profile = profile_of_onnx(packaged_bundle_path() / "model.fp32.onnx")
    from edgeau_export.profiling.from_network import profile_of_network
    from edgeau_training.networks.counting import skeleton

    manifest = json.loads((packaged_bundle_path() / "manifest.json").read_text())
    labels = tuple(manifest["labels"])
    network = skeleton("mrpnet", labels)
    counted = profile_of_network(network, (1, 3, 224, 224), name="mrpnet", title="")
    assert profile.macs == counted.macs
    assert profile.integer_share is None
    assert not profile.unknown
    assert profile.parameters < counted.parameters  # batch norm is folded
    assert profile.file_bytes == pytest.approx(4 * profile.parameters, rel=0.02)


def _conv(dequantized):
    """3 -> 4 channels, 3x3, on 8x8, with a Sigmoid behind it."""
    weights = helper.make_tensor(
        "w", TensorProto.INT8 if dequantized else TensorProto.FLOAT, [4, 3, 3, 3], [1] * 108
    )
    initializers, nodes, operands = [weights], [], ["x", "w"]
    if dequantized:
        initializers += [
            helper.make_tensor("s", TensorProto.FLOAT, [], [0.1]),
            helper.make_tensor("z", TensorProto.INT8, [], [0]),
        ]
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"], name="q"),
            helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"], name="dx"),
            helper.make_node("DequantizeLinear", ["w", "s", "z"], ["wd"], name="dw"),
        ]
        operands = ["xd", "wd"]
    nodes += [
        helper.make_node("Conv", operands, ["c"], name="conv"),
        helper.make_node("Sigmoid", ["c"], ["y"], name="sigmoid"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 6, 6])
    graph = helper.make_graph(nodes, "tiny", [x], [y], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("dequantized", [False, True])
def test_a_convolution_by_hand(dequantized):
    profile = profile_of_onnx_model(_conv(dequantized), name="tiny")
    assert profile.macs == 4 * 6 * 6 * 27
    assert profile.parameters == 108
    # No engine that reads int8 weights has a kernel with integers in and floats out: the sigmoid wants floats.
    assert profile.integer_share == (0.0 if dequantized else None)
    assert profile.peak_bytes >= 4 * (3 * 64 + 4 * 36)  # the input and the convolution's output


def test_products_between_pairs_are_integer_and_those_of_tensorrt_need_no_second_pair():
    requantized = _conv(True)
    requantized.graph.node.insert(4, helper.make_node("QuantizeLinear", ["c", "s", "z"], ["cq"], name="qc"))
    requantized.graph.node.insert(
        5, helper.make_node("DequantizeLinear", ["cq", "s", "z"], ["cd"], name="dc")
    )
    requantized.graph.node[6].input[0] = "cd"
    for_tensorrt = _conv(True)
    (weights,) = (item for item in for_tensorrt.graph.initializer if item.name == "w")
    weights.CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.1] * 108))
    for_tensorrt.graph.node.insert(2, helper.make_node("QuantizeLinear", ["w", "s", "z"], ["wq"], name="qw"))
    for_tensorrt.graph.node[3].input[0] = "wq"
    for model in (requantized, for_tensorrt):
        onnx.checker.check_model(model, full_check=True)
        assert profile_of_onnx_model(model, name="tiny").integer_share == 1.0
        assert integer_share(model, macs_by_node(_conv(False))) == 1.0


def test_an_operator_that_cannot_be_counted_is_named():
    model = _conv(False)
    model.graph.node[-1].op_type = "LSTM"
    assert profile_of_onnx_model(model, name="tiny").unknown == {"LSTM": 1}


def test_blocks_sum_to_the_whole():
    profile = zoo_profile("mrpnet")
    whole = blocks(profile.layers)
    assert sum(block.macs for block in whole) == profile.macs
    assert len(whole) < len(profile.layers)


def test_a_document_is_a_profile_again():
    profile = zoo_profile("drml")
    assert profile_from(json.loads(json.dumps(as_document(profile))), "here") == profile


@pytest.mark.parametrize("content", [b"", b"not a model at all"])
def test_files_that_are_no_models_are_refused_by_name(tmp_path, content):
    for name, opened in (("a.onnx", profile_of_onnx), ("a.tflite", profile_of_tflite)):
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises((InputError, CheckpointError), match=name):
            opened(file)


def test_the_peak_of_a_tflite_file_by_hand(tmp_path):
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tflite_bytes(_conv(False), precision="fp32", metadata={}))
    profile = profile_of_tflite(file)
    assert profile.peak_bytes >= 4 * (3 * 64 + 4 * 36)  # the input and the convolution's output
    assert profile.peak_bytes <= profile_of_onnx_model(_conv(False), name="tiny").peak_bytes + 4 * 3 * 64


def test_weights_behind_the_flatbuffer_are_counted(tmp_path):
    """Newer writers leave a buffer's place empty and say where in the file its values are."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    plain, moved = tmp_path / "plain.tflite", tmp_path / "moved.tflite"
    plain.write_bytes(tflite_bytes(_conv(False), precision="fp32", metadata={}))
    model = schema.ModelT.InitFromPackedBuf(plain.read_bytes(), 0)
    for buffer in model.buffers:
        if buffer.data is not None and len(buffer.data):
            buffer.size, buffer.offset, buffer.data = len(buffer.data), 4096, None
    builder = Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    moved.write_bytes(bytes(builder.Output()) + bytes(8192))
    # TFLite's convolution has a bias.
    assert profile_of_tflite(moved).parameters == profile_of_tflite(plain).parameters == 112


def test_unknown_network_lists_the_known():
    with pytest.raises(UsageError, match="mrpnet"):
        zoo_profile("mrp")


def test_zoo_prints_every_network(capsys):
    assert zoo.FILE == "zoo.json"
    assert (Path(zoo.__file__).parent / zoo.FILE).stat().st_size < 1_000_000
    assert np.isfinite([zoo_profile(name).peak_bytes for name in zoo_names()]).all()
    onnx.checker.check_model(_conv(True))


def test_a_graph_without_an_input_is_no_network(tmp_path):
    made = helper.make_graph(
        [helper.make_node("Relu", ["w"], ["y"])],
        "g",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [onnx.numpy_helper.from_array(np.ones(2, np.float32), "w")],
    )
    onnx.save(
        helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        tmp_path / "a.onnx",
    )
    with pytest.raises(InputError, match="has no input"):
        profile_of_onnx(tmp_path / "a.onnx")


def test_a_fused_product_of_a_transposed_matrix_is_counted_by_its_inner_length():
    made = helper.make_graph(
        [helper.make_node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft", transA=1)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 5, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 7])],
        [onnx.numpy_helper.from_array(np.ones((1, 5, 7), np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    profile = profile_of_onnx_model(helper.make_model(made, opset_imports=opsets), name="g")
    assert profile.macs == 3 * 7 * 5
