from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe, recipes

SPEC = InputSpec(size=(224, 224))

# Mean and largest error over the range of the logits. These two methods cut what the brightest crops reach.
LOSSY = {"entropy": (0.05, 0.25), "moving-average": (0.1, 0.5)}


def logits(model: onnx.ModelProto, crops: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"input": Preprocessor(SPEC).batch(crops)})[0]


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}


@pytest.mark.parametrize("name", sorted(recipes()))
def test_every_recipe_gives_a_graph_that_answers_nearly_as_the_float_one(
    name: str, network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    int8 = static_int8(network, face_crops[::2], SPEC, load_recipe(name))
    reference, answer = logits(network, face_crops[1::2]), logits(int8, face_crops[1::2])
    error = np.abs(answer - reference) / np.ptp(reference)
    mean, largest = LOSSY.get(name, (0.03, 0.1))
    assert 0 < error.mean() < mean
    assert error.max() < largest


def test_the_plain_recipe_has_asymmetric_activations_and_seven_bit_weights_per_channel(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    int8 = static_int8(network, face_crops, SPEC, load_recipe("plain"))
    values = constants(int8)
    weights = values["w2_quantized"]
    assert weights.dtype == np.int8
    assert np.abs(weights.astype(int)).max() <= 64
    assert values["w2_scale"].shape == (16,)
    zero_points = {
        values[node.input[2]].item() for node in int8.graph.node if node.op_type == "QuantizeLinear"
    }
    assert zero_points != {128}, "an asymmetric range has its zero point where zero is"
    assert values["b2_quantized"].dtype == np.int32


def test_the_symmetric_recipe_is_what_tensorrt_takes(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    int8 = static_int8(network, face_crops, SPEC, load_recipe("symmetric"))
    values = constants(int8)
    pairs = [node for node in int8.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs
    for node in pairs:
        zero_point = values[node.input[2]]
        assert zero_point.dtype == np.int8, f"{node.name} is not int8"
        assert not zero_point.any(), f"{node.name} is not symmetric"
    assert values["w2"].dtype == np.float32, "weights are float, followed by a whole pair"
    assert values["b2"].dtype == np.float32, "the bias stays in float"


def test_the_float_graph_and_its_metadata_survive(network: onnx.ModelProto, face_crops: np.ndarray) -> None:
    before = network.SerializeToString()
    int8 = static_int8(network, face_crops, SPEC, load_recipe("plain"))
    assert network.SerializeToString() == before
    assert {item.key: item.value for item in int8.metadata_props} == {"labels": "[]"}


def test_the_same_crops_give_the_same_graph(network: onnx.ModelProto, face_crops: np.ndarray) -> None:
    made = [static_int8(network, face_crops, SPEC, load_recipe("plain")) for _ in range(2)]
    assert made[0].SerializeToString() == made[1].SerializeToString()


def test_a_quantized_graph_is_not_quantized_again(network: onnx.ModelProto, face_crops: np.ndarray) -> None:
    int8 = static_int8(network, face_crops, SPEC, load_recipe("plain"))
    with pytest.raises(CalibrationError, match="quantized already"):
        static_int8(int8, face_crops, SPEC, load_recipe("plain"))


def test_a_graph_without_weights_is_refused(face_crops: np.ndarray) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["input"], ["logits"])],
        "none",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3, 224, 224])],
    )
    with pytest.raises(CalibrationError, match="nothing to quantize"):
        static_int8(helper.make_model(graph), face_crops, SPEC, load_recipe("plain"))


@pytest.mark.filterwarnings("ignore:All-NaN axis encountered:RuntimeWarning")
def test_activations_that_are_not_finite_name_the_tensor(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(network)
    weights = next(item for item in broken.graph.initializer if item.name == "w1")
    weights.CopyFrom(numpy_helper.from_array(np.full((8, 3, 3, 3), np.float32(3e38)), "w1"))
    with pytest.raises(CalibrationError, match=r"activation \w+ is not finite"):
        static_int8(broken, face_crops, SPEC, load_recipe("plain"))


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(CalibrationError, match=r"known recipes: .*plain, .*symmetric"):
        load_recipe("magic")


def with_input_shape(model: onnx.ModelProto, shape: list[int | str]) -> onnx.ModelProto:
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    changed.graph.input[0].CopyFrom(helper.make_tensor_value_info("input", TensorProto.FLOAT, shape))
    return changed


def test_a_network_for_pictures_of_any_size_is_refused(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    anysize = with_input_shape(network, ["batch", 3, "height", "width"])
    with pytest.raises(CalibrationError, match=r"batch, 3, height, width.*only the batch may be dynamic"):
        static_int8(anysize, face_crops, SPEC, load_recipe("plain"))


def test_an_operator_that_nobody_knows_is_named(network: onnx.ModelProto, face_crops: np.ndarray) -> None:
    strange = onnx.ModelProto()
    strange.CopyFrom(network)
    strange.graph.node[1].op_type = "Sigmoidish"
    with pytest.raises(CalibrationError, match=r"cannot run this graph.*Sigmoidish"):
        static_int8(strange, face_crops, SPEC, load_recipe("plain"))


def test_a_second_input_is_refused(network: onnx.ModelProto, face_crops: np.ndarray) -> None:
    two = onnx.ModelProto()
    two.CopyFrom(network)
    two.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, ["batch", 1]))
    with pytest.raises(CalibrationError, match="2 inputs"):
        static_int8(two, face_crops, SPEC, load_recipe("plain"))


def test_a_mean_over_height_and_width_becomes_a_pooling_that_engines_have_in_integers(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    exported = onnx.ModelProto()
    exported.CopyFrom(network)
    pool = next(node for node in exported.graph.node if node.op_type == "GlobalAveragePool")
    pool.op_type = "ReduceMean"
    pool.attribute.append(helper.make_attribute("axes", [2, 3]))
    graphs = [static_int8(model, face_crops, SPEC, load_recipe("plain")) for model in (network, exported)]
    np.testing.assert_array_equal(*(logits(graph, face_crops) for graph in graphs))


def test_learned_weights_answer_more_truly_than_rounded_ones(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    reference = logits(network, face_crops[1::2])
    errors = {
        name: np.abs(logits(static_int8(network, face_crops[::2], SPEC, load_recipe(name)), face_crops[1::2]) - reference)
        for name in ("float-silu", "robust")
    }  # fmt: skip
    assert errors["robust"].mean() < errors["float-silu"].mean()
