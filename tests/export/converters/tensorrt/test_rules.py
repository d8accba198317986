"""Each rule holds for what is handed out, and finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeau.errors import TargetError
from edgeau_calibration.graph.view import GraphView
from edgeau_export.converters.tensorrt import rules
from edgeau_export.converters.tensorrt.half import with_half_precision
from edgeau_export.converters.tensorrt.rules import RULES, faults, refuse_unless_fit

Break = Callable[[onnx.ModelProto], None]


def of_kind(model: onnx.ModelProto, kind: str, name: str = "") -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == kind and name in node.name)


def set_constant(model: onnx.ModelProto, name: str, value: np.ndarray) -> None:
    item = next(item for item in model.graph.initializer if item.name == name)
    item.CopyFrom(numpy_helper.from_array(value, name))


def constant(model: onnx.ModelProto, name: str) -> np.ndarray:
    return GraphView(model.graph).value(name)


def pair_on(
    model: onnx.ModelProto, tensor: str, node: onnx.NodeProto, index: int, scale: np.ndarray | None = None
) -> None:
    """Put a pair between a tensor and one of its readers."""
    value = np.float32(0.1) if scale is None else scale
    names = f"{tensor}_extra_scale", f"{tensor}_extra_zero"
    zero = np.zeros(np.shape(value), np.int8)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(v), n) for v, n in zip((value, zero), names, strict=True)
    )
    pair = [
        helper.make_node(
            "QuantizeLinear", [tensor, *names], [f"{tensor}_extra_q"], name=f"{tensor}_extra_Quantize"
        ),
        helper.make_node(
            "DequantizeLinear",
            [f"{tensor}_extra_q", *names],
            [f"{tensor}_extra"],
            name=f"{tensor}_extra_Dequantize",
        ),
    ]
    node.input[index] = f"{tensor}_extra"
    model.graph.node.extend(pair)


def newer_operators(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 19


def foreign_operators(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def integer_operator(model: onnx.ModelProto) -> None:
    of_kind(model, "Conv").op_type = "QLinearConv"


def double_constant(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3), "doubles"))


def half_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16


def open_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"


def zero_point(model: onnx.ModelProto) -> None:
    name = of_kind(model, "QuantizeLinear").input[2]
    set_constant(model, name, np.full_like(constant(model, name), 3))


def unsigned(model: onnx.ModelProto) -> None:
    name = of_kind(model, "QuantizeLinear").input[2]
    set_constant(model, name, constant(model, name).astype(np.uint8))


def no_zero_point(model: onnx.ModelProto) -> None:
    del of_kind(model, "DequantizeLinear").input[2]


def one_zero_point(model: onnx.ModelProto) -> None:
    set_constant(model, of_kind(model, "QuantizeLinear", "stem_w").input[2], np.zeros(1, np.int8))


def half_scale(model: onnx.ModelProto) -> None:
    name = of_kind(model, "QuantizeLinear").input[1]
    set_constant(model, name, constant(model, name).astype(np.float16))


def scale_of_zero(model: onnx.ModelProto) -> None:
    name = of_kind(model, "QuantizeLinear").input[1]
    set_constant(model, name, np.zeros_like(constant(model, name)))


def lone_dequantize(model: onnx.ModelProto) -> None:
    node = of_kind(model, "QuantizeLinear", "stem_out")
    of_kind(model, "DequantizeLinear", "stem_out").input[0] = node.input[0]
    model.graph.node.remove(node)


def quantized_output(model: onnx.ModelProto) -> None:
    of_kind(model, "Flatten").input[0] = of_kind(model, "QuantizeLinear", "stem_out").output[0]


def two_scales(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(0.5, np.float32), "another"))
    of_kind(model, "DequantizeLinear", "stem_out").input[1] = "another"


def per_tensor_weights(model: onnx.ModelProto) -> None:
    node = of_kind(model, "QuantizeLinear", "stem_w")
    set_constant(model, node.input[1], np.array(0.1, np.float32))
    set_constant(model, node.input[2], np.array(0, np.int8))


def wrong_axis(model: onnx.ModelProto) -> None:
    for kind in ("QuantizeLinear", "DequantizeLinear"):
        of_kind(model, kind, "stem_w").attribute[0].i = 1


def per_channel_activation(model: onnx.ModelProto) -> None:
    node = of_kind(model, "QuantizeLinear", "stem_out")
    set_constant(model, node.input[1], np.full(8, 0.1, np.float32))
    set_constant(model, node.input[2], np.zeros(8, np.int8))


def float_data(model: onnx.ModelProto) -> None:
    of_kind(model, "Conv", "one_expand").input[0] = "stem_out"


def quantized_bias(model: onnx.ModelProto) -> None:
    pair_on(model, "stem_b", of_kind(model, "Conv", "stem"), 2)


def half_weights(model: onnx.ModelProto) -> None:
    set_constant(model, "stem_w", constant(model, "stem_w").astype(np.float16))


def quantized_concatenation(model: onnx.ModelProto) -> None:
    pair_on(model, "pooled", of_kind(model, "Flatten"), 0)


def odd_groups(model: onnx.ModelProto) -> None:
    node = of_kind(model, "Conv", "one_depthwise")
    next(item for item in node.attribute if item.name == "group").i = 8
    set_constant(model, "one_depthwise_w", np.zeros((16, 2, 3, 3), np.float32))


def inside_a_silu(model: onnx.ModelProto) -> None:
    for index, name in enumerate(of_kind(model, "Mul", "stem_out").input):
        if name == "stem":
            pair_on(model, "stem", of_kind(model, "Mul", "stem_out"), index)


def behind_a_sigmoid(model: onnx.ModelProto) -> None:
    node = of_kind(model, "Mul", "stem_out")
    pair_on(model, "stem_out_sigmoid", node, list(node.input).index("stem_out_sigmoid"))


def float_skip(model: onnx.ModelProto) -> None:
    node = of_kind(model, "Add", "one_sum")
    node.input[1] = "stem_out"


def both_paired(model: onnx.ModelProto) -> None:
    pair_on(model, "one_project", of_kind(model, "Add", "one_sum"), 0)


BROKEN: list[tuple[Break, Callable, str]] = [
    (newer_operators, rules.operators, "operator set 19"),
    (foreign_operators, rules.operators, "operators of com.microsoft"),
    (integer_operator, rules.operators, "is QLinearConv"),
    (double_constant, rules.types, "doubles has type DOUBLE"),
    (half_input, rules.types, "input is not float32"),
    (open_batch, rules.types, "input has a size that is not fixed"),
    (zero_point, rules.symmetric, "is not symmetric"),
    (unsigned, rules.symmetric, "zero point of type uint8"),
    (no_zero_point, rules.symmetric, "has no constant zero point"),
    (one_zero_point, rules.symmetric, "1 zero points, not one a scale"),
    (half_scale, rules.scales, "scale of type float16"),
    (scale_of_zero, rules.scales, "scale that is not above 0"),
    (lone_dequantize, rules.whole_pairs, "without a QuantizeLinear"),
    (quantized_output, rules.whole_pairs, "is read by DequantizeLinear, Flatten"),
    (two_scales, rules.whole_pairs, "has other scales than its QuantizeLinear"),
    (per_tensor_weights, rules.axes, "1 scales on axis 0, not 8"),
    (wrong_axis, rules.axes, "8 scales on axis 1"),
    (per_channel_activation, rules.axes, "8 scales for an activation"),
    (float_data, rules.weights, "a pair on its weights alone"),
    (quantized_bias, rules.weights, "a pair on its bias"),
    (half_weights, rules.weights, "weights that are not float32"),
    (quantized_concatenation, rules.integer_readers, "is Flatten, which takes no integers"),
    (odd_groups, rules.integer_readers, "groups that TensorRT has no integer kernels for"),
    (inside_a_silu, rules.fused_activations, "between a convolution and its activation"),
    (behind_a_sigmoid, rules.fused_activations, "inside a SiLU"),
    (float_skip, rules.fused_sums, "what has no pair"),
    (both_paired, rules.fused_sums, "pairs on both inputs"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_what_is_handed_out_keeps_to_every_rule(artifact: onnx.ModelProto, rule: Callable):
    assert list(rule(GraphView(artifact.graph))) == []


def test_the_half_variant_keeps_to_every_rule(float_graph: onnx.ModelProto):
    model = with_half_precision(float_graph)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", 17))
    assert faults(model) == []


@pytest.mark.parametrize(("breaks", "rule", "fault"), BROKEN, ids=[entry[0].__name__ for entry in BROKEN])
def test_a_rule_finds_what_breaks_it(artifact: onnx.ModelProto, breaks: Break, rule: Callable, fault: str):
    model = onnx.ModelProto()
    model.CopyFrom(artifact)
    breaks(model)
    faults_found = list(rule(model if rule is rules.operators else GraphView(model.graph)))
    assert any(fault in found for found in faults_found), faults_found


def test_every_rule_is_broken_somewhere():
    assert {rule for _, rule, _ in BROKEN} == {rules.operators, *RULES}


def test_the_gate_says_what_is_wrong_in_one_line(artifact: onnx.ModelProto):
    model = onnx.ModelProto()
    model.CopyFrom(artifact)
    zero_point(model)
    with pytest.raises(
        TargetError, match=r"x\.onnx cannot be built by TensorRT 8\.5 to 11: .* is not symmetric"
    ):
        refuse_unless_fit(model, "x.onnx")
    refuse_unless_fit(artifact, "x.onnx")
