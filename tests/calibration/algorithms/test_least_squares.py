from __future__ import annotations

import numpy as np
import pytest
from onnx import helper, numpy_helper

from edgeau_calibration.algorithms.least_squares import FitRule, fitted_layer
from edgeau_calibration.algorithms.second_moments import MomentSums, patches
from edgeau_calibration.graph.quantizable_layers import QuantizedWeight
from edgeau_calibration.graph.view import GraphView

OUTPUTS, INPUTS, SEEN = 8, 20, 6000


@pytest.fixture
def constants() -> GraphView:
    return constants_of(INPUTS)


def constants_of(inputs: int) -> GraphView:
    arrays = {
        "w": np.zeros((OUTPUTS, inputs, 1, 1), np.int8),
        "w_scale": np.ones(OUTPUTS, np.float32),
        "b": np.zeros(OUTPUTS, np.int32),
        "b_scale": np.ones(OUTPUTS, np.float32),
        "x_scale": np.array(0.05, np.float32),
    }
    items = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    return GraphView(helper.make_graph([], "constants", [], [], items))


PLACE = QuantizedWeight(
    helper.make_node("Conv", ["x", "w", "b"], ["y"]), "x", "x_scale", "w", "w_scale", "b", "b_scale"
)


def outputs_of(constants: GraphView, values: np.ndarray) -> np.ndarray:
    weights = constants.value("w").reshape(OUTPUTS, -1) * constants.value("w_scale")[:, None]
    return weights @ values + (constants.value("b") * constants.value("b_scale"))[:, None]


def mistaken(values: np.ndarray) -> np.ndarray:
    """What quantization of the layers before did: a constant mistake, and one channel that is too weak."""
    moved = values + 0.3
    moved[3] *= 0.8
    return moved


@pytest.mark.parametrize("bits", [7, 8])
def test_weights_and_bias_make_up_for_mistakes_of_the_layers_before(constants: GraphView, bits: int) -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(OUTPUTS, INPUTS, 1, 1))
    values = rng.normal(1, 1, size=(INPUTS, SEEN))
    sums = MomentSums()
    for part in np.split(values, 3, axis=1):
        sums.add(part[None].astype(np.float32), mistaken(part)[None].astype(np.float32))
    fitted_layer(PLACE, weights, sums.moments(), constants, FitRule(bits))
    fresh = rng.normal(1, 1, size=(INPUTS, 500))
    wanted = weights.reshape(OUTPUTS, INPUTS) @ fresh
    error = np.abs(outputs_of(constants, mistaken(fresh)) - wanted).mean() / np.abs(wanted).mean()
    unmended = (
        np.abs(weights.reshape(OUTPUTS, INPUTS) @ mistaken(fresh) - wanted).mean() / np.abs(wanted).mean()
    )
    assert np.abs(constants.value("w").astype(int)).max() <= {7: 63, 8: 127}[bits]
    assert error < 0.25 * unmended
    np.testing.assert_allclose(constants.value("b_scale"), constants.value("w_scale") * 0.05, rtol=1e-6)


def test_a_few_broken_positions_do_not_run_away(constants: GraphView) -> None:
    """With fewer positions than inputs least squares could fit anything; the weights must stay near the old ones."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(OUTPUTS, INPUTS, 1, 1))
    values = rng.normal(size=(1, INPUTS, 10)).astype(np.float32)
    sums = MomentSums()
    sums.add(values, values + rng.normal(0, 0.1, values.shape).astype(np.float32))
    fitted_layer(PLACE, weights, sums.moments(), constants, FitRule(8))
    learned = constants.value("w") * constants.value("w_scale").reshape(-1, 1, 1, 1)
    assert np.abs(learned - weights).max() < 0.15 * np.abs(weights).max()


def test_of_very_many_inputs_no_pairs_are_kept_and_the_bias_is_still_mended() -> None:
    """Pairs of as many as fully connected layers behind a feature map have would take gigabytes."""
    inputs = 7000
    constants = constants_of(inputs)
    rng = np.random.default_rng(0)
    weights = rng.normal(0.02, 1 / np.sqrt(inputs), (OUTPUTS, inputs))
    sums = MomentSums()
    for _ in range(4):
        values = rng.normal(1, 1, (1, inputs, 32)).astype(np.float32)
        sums.add(values, values + np.float32(0.3))
    moments = sums.moments()
    assert moments.pairs is None
    np.testing.assert_allclose(moments.variance.mean(), 1, atol=0.02)
    fitted_layer(PLACE, weights, moments, constants, FitRule(8))
    fresh = rng.normal(1, 1, (inputs, 200))
    wanted = weights @ fresh
    error = np.abs(outputs_of(constants, fresh + 0.3) - wanted).mean()
    assert error < 0.1 * np.abs(weights @ (fresh + 0.3) - wanted).mean()
    learned = constants.value("w").reshape(OUTPUTS, -1) * constants.value("w_scale")[:, None]
    assert np.abs(learned - weights).mean() < 0.02 * np.abs(weights).mean()


@pytest.mark.parametrize("groups", [1, 6])
def test_patches_are_what_a_convolution_multiplies(groups: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6, 9, 9)).astype(np.float32)
    kernel = rng.normal(size=(6, 6 // groups, 3, 3)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=groups, strides=[2, 2], pads=[1, 1, 1, 1])
    seen = patches(values, node, kernel.shape, seed=0)
    products = np.einsum("gof,gfn->gon", kernel.reshape(groups, 6 // groups, -1), seen)
    padded = np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1)))
    at = padded[0, :, 2:5, 4:7]  # output row 1, column 2
    wanted = (
        np.einsum("oifk,ifk->o", kernel, at) if groups == 1 else np.einsum("ofk,ofk->o", kernel[:, 0], at)
    )
    np.testing.assert_allclose(products.reshape(6, -1)[:, 1 * 5 + 2], wanted, rtol=1e-4)


def test_an_input_that_hardly_varies_far_from_zero_has_moments_that_can_be_solved() -> None:
    rng = np.random.default_rng(0)
    sums = MomentSums()
    for _ in range(3):
        values = (1000 + 1e-4 * rng.standard_normal((1, 6, 500))).astype(np.float32)
        sums.add(values, values)
    moments = sums.moments()
    assert moments.pairs is not None
    assert (np.linalg.eigvalsh(moments.pairs.quantized) > -1e-12).all()
    assert (moments.variance >= 0).all()
    np.testing.assert_allclose(moments.quantized_mean, 1000, rtol=1e-6)
