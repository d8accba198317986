"""Learned weights on a block with everything that an EfficientNet has: depthwise, squeeze-and-excitation, a residual sum."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import CalibrationError
from edgeau_calibration.algorithms.second_moments import InputMoments, MomentSums
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


def drawn_again(network: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """The same graph with other weights: every layer's output varies about as much as its input."""
    rng, other = np.random.default_rng(seed), onnx.ModelProto()
    other.CopyFrom(network)
    for tensor in other.graph.initializer:
        spread = 1 / np.sqrt(np.prod(tensor.dims[1:]))
        weights = rng.normal(0, spread, tuple(tensor.dims)).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    return other


def error(network: onnx.ModelProto, face: np.ndarray, seed: int, *learned: str) -> float:
    """Of the logits of crops that were not calibrated on, in their standard deviations: what 7-bit weights alone cost.

    Activations keep 16 bits. With 8 their rounding is most of the error, which no choice of weights takes away.
    """
    recipe = replace(load_recipe("wide"), weight_bits=7, learned=learned)
    graph = StaticQuantizer(network, pieces(face, 96, seed), SPEC, recipe).graph()
    others = pieces(face, 200, 1000 + seed)
    wanted = logits_of(network, others, SPEC)
    return float(np.sqrt(np.square(logits_of(graph, others, SPEC) - wanted).mean()) / wanted.std())


def test_learned_weights_take_away_most_of_the_error_of_rounding_them(
    inverted_residual: onnx.ModelProto, face: np.ndarray
) -> None:
    """On four networks, with red and blue exchanged for every other one: the gain is no luck of one draw."""
    rounding, everything = [], []
    for seed in range(4):
        network, turned = drawn_again(inverted_residual, seed), face[..., :: (-1) ** seed]
        plain = error(network, turned, seed)
        rounding.append(error(network, turned, seed, "rounding") / plain)
        everything.append(error(network, turned, seed, "least-squares", "rounding", "bias") / plain)
    assert max(everything) < 0.8
    assert np.mean(everything) < 0.4
    assert np.mean(everything) < np.mean(rounding) < 0.6


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


@pytest.mark.parametrize("crops_of", ["constant", "nearly constant", "two"])
def test_few_and_nearly_constant_crops_still_give_finite_weights(
    inverted_residual: onnx.ModelProto, crops_of: str
) -> None:
    """What LinAlgError came from: variances in float32 as differences of large squares, below zero."""
    crops = np.full((12, 10, 10, 3), 200, np.uint8)
    if crops_of == "nearly constant":
        crops[::3, 4, 4] += 1
    if crops_of == "two":
        crops = np.random.default_rng(0).integers(0, 256, (2, 10, 10, 3), dtype=np.uint8)
    graph = StaticQuantizer(inverted_residual, crops, SPEC, load_recipe("robust")).graph()
    assert np.isfinite(logits_of(graph, crops, SPEC)).all()


def test_weights_that_cannot_be_learned_are_one_line(
    inverted_residual: onnx.ModelProto, crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MomentSums.moments

    def indefinite(self: MomentSums) -> InputMoments:
        found = real(self)
        assert found.pairs is not None
        return replace(found, pairs=replace(found.pairs, quantized=-found.pairs.quantized))

    monkeypatch.setattr(MomentSums, "moments", indefinite)
    with pytest.raises(CalibrationError, match=r"layer .* hardly vary over these .* crops.*\(quick\)"):
        StaticQuantizer(inverted_residual, crops, SPEC, load_recipe("robust"))
