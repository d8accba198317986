"""Learned weights on a block with everything that an EfficientNet has: depthwise, squeeze-and-excitation, a residual sum."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest

from edgeau.bundle.manifest import InputSpec
from edgeau_calibration.graph.macs import integer_share, macs_by_node
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.recipe import load_recipe

SPEC = InputSpec(size=(10, 10))


def pieces(face: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Small pieces of a face: uint8 (count, 10, 10, 3) RGB."""
    places = np.random.default_rng(seed).integers(40, 160, (count, 2))
    return np.stack([face[top : top + 10, left : left + 10] for top, left in places])


@pytest.fixture(scope="module")
def face(astronaut: np.ndarray) -> np.ndarray:
    """A face in a fixed frame, whichever landmarks are found in it."""
    return np.asarray(cv2.resize(np.ascontiguousarray(astronaut[20:240, 110:330, ::-1]), (224, 224)))


@pytest.fixture(scope="module")
def crops(face: np.ndarray) -> np.ndarray:
    return pieces(face, 96, seed=0)


def error(network: onnx.ModelProto, crops: np.ndarray, **changes: object) -> float:
    recipe = replace(load_recipe("float-silu"), weight_bits=7, **changes)  # type: ignore[arg-type]
    graph = StaticQuantizer(network, crops[::2], SPEC, recipe).graph()
    wanted = logits_of(network, crops[1::2], SPEC)
    return float(np.abs(logits_of(graph, crops[1::2], SPEC) - wanted).mean() / wanted.std())


def test_every_learned_step_helps_on_crops_it_has_not_seen(
    inverted_residual: onnx.ModelProto, face: np.ndarray
) -> None:
    """In the mean of several draws: one draw of so few pixels may come out either way."""
    kinds: tuple[dict[str, object], ...] = (
        {},
        {"learned": ("bias",)},
        {"learned": ("least-squares", "rounding", "bias")},
    )
    draws = [pieces(face, 192, seed) for seed in range(8)]
    plain, bias, everything = (
        float(np.mean([error(inverted_residual, draw, **kind) for draw in draws])) for kind in kinds
    )
    assert everything < 0.9 * plain
    assert everything < bias < plain


@pytest.mark.parametrize("name", ["robust", "symmetric"])
def test_the_whole_block_is_integer_or_the_named_roles_are_not(
    inverted_residual: onnx.ModelProto, crops: np.ndarray, name: str
) -> None:
    recipe = replace(load_recipe(name), floats=("squeeze-excite",))
    quantization = StaticQuantizer(inverted_residual, crops, SPEC, recipe)
    graph, macs = quantization.graph(), macs_by_node(quantization.float_graph)
    in_float = {"reduce", "excite"}
    made_by = {output: node for node in graph.graph.node for output in node.output}
    dequantized = {
        node.name
        for node in graph.graph.node
        if node.name in macs and made_by.get(node.input[1], node).op_type == "DequantizeLinear"
    }
    assert dequantized == set(macs) - in_float
    if name == "robust":
        # The Conv in front of the gate's product is float on both sides of it; all others are integer.
        gated = sum(macs[layer] for layer in in_float)
        assert integer_share(graph, macs) == pytest.approx(1 - gated / sum(macs.values()))


def test_one_graph_run_crop_by_crop_or_in_batches_answers_the_same(
    inverted_residual: onnx.ModelProto, crops: np.ndarray
) -> None:
    graph = StaticQuantizer(inverted_residual, crops[::2], SPEC, load_recipe("robust")).graph()
    one = onnx.ModelProto()
    one.CopyFrom(graph)
    one.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    np.testing.assert_allclose(
        logits_of(one, crops[:11], SPEC), logits_of(graph, crops[:11], SPEC), atol=1e-5
    )
