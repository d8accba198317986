from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import GateRefusedError
from edgeau_calibration.data.labelled import EncodedCrops, EvaluationFaces
from edgeau_calibration.evaluation.accuracy import (
    Evaluator,
    LabelledEvaluator,
    QuantizationCost,
    UnlabelledEvaluator,
)
from edgeau_calibration.graph.macs import integer_share, macs_by_node
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.search.budget import Budget, within_budget
from edgeau_calibration.search.pareto import QuantizationCandidate, front_document, pareto_front

SPEC = InputSpec()
HALF = np.full(4, 0.5, np.float32)


@pytest.fixture(scope="module")
def quantization(network: onnx.ModelProto, face_crops: np.ndarray) -> StaticQuantizer:
    return StaticQuantizer(network, face_crops[::2], SPEC, load_recipe("robust"))


@pytest.fixture(scope="module")
def evaluator(network: onnx.ModelProto, face_crops: np.ndarray) -> Evaluator:
    return UnlabelledEvaluator(network, face_crops[1::2], SPEC, HALF)


class Scripted(UnlabelledEvaluator):
    """Says what a graph costs by how many of its layers are integer, as if only convolution 2 did harm."""

    def cost(self, model: onnx.ModelProto) -> QuantizationCost:
        integer = {node.name for node in model.graph.node if _is_integer(model, node)}
        flips = 0.5 if "conv2" in integer else 0.001
        return QuantizationCost(flips, flips, 1000, self.thresholds)


def _is_integer(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    made_by = {output: other for other in model.graph.node for output in other.output}
    source = made_by.get(node.input[1]) if len(node.input) > 1 else None
    return source is not None and source.op_type == "DequantizeLinear"


def test_where_everything_integer_keeps_the_budget_nothing_goes_back(
    quantization: StaticQuantizer, evaluator: Evaluator
) -> None:
    found = within_budget(quantization, evaluator, Budget(mean=1.0))
    assert found.kept_float == ()
    assert found.macs_int8 == 1.0
    assert [point.holds for point in found.points] == [True]
    assert found.points[0].latency_ms is not None
    assert found.points[0].latency_ms > 0


def test_the_layer_that_hurts_goes_back_to_float_and_the_others_stay(
    quantization: StaticQuantizer, network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    scripted = Scripted(network, face_crops[:2], SPEC, HALF)
    found = within_budget(quantization, scripted, Budget(mean=0.005, integer=0.1))
    assert found.kept_float == ("conv2",)
    assert 0 < found.macs_int8 < 1
    assert found.sensitivity[0].unit.name == "conv2"
    assert [point.holds for point in found.points] == [False, True]
    assert found.points[1].macs_int8 == integer_share(found.graph, macs_by_node(quantization.float_graph))


def test_a_second_opinion_can_send_more_back(quantization: StaticQuantizer, evaluator: Evaluator) -> None:
    asked: list[onnx.ModelProto] = []

    def confirmed(graph: onnx.ModelProto, _: QuantizationCost) -> bool:
        asked.append(graph)
        return False

    with pytest.raises(GateRefusedError):
        within_budget(quantization, evaluator, Budget(mean=1.0, integer=0.0), confirmed=confirmed)
    assert asked


class Noisy(UnlabelledEvaluator):
    """Says that one AU lost .03, give or take a value."""

    give = 0.0

    def cost(self, model: onnx.ModelProto) -> QuantizationCost:
        drops = np.array([0.03, 0.0, 0.0, 0.0])
        return QuantizationCost(
            0.01, 0.0, 1000, self.thresholds, drops, drops, None,
            (drops.mean() - self.give, drops.mean() + self.give), (0.03 - self.give, 0.03 + self.give),
        )  # fmt: skip


@pytest.mark.parametrize(("give", "asked_about"), [(0.02, True), (0.005, False)])
def test_a_drop_that_may_be_chance_is_decided_on_more_faces_where_there_are_any(
    quantization: StaticQuantizer,
    network: onnx.ModelProto,
    face_crops: np.ndarray,
    give: float,
    asked_about: bool,
) -> None:
    noisy = Noisy(network, face_crops[:2], SPEC, HALF)
    noisy.give = give
    asked: list[onnx.ModelProto] = []

    def confirmed(graph: onnx.ModelProto, _: QuantizationCost) -> bool:
        asked.append(graph)
        return True

    budget = Budget(mean=0.01, worst=0.02, integer=1.0)
    if asked_about:
        found = within_budget(quantization, noisy, budget, confirmed=confirmed)
        assert asked == [found.graph]
        assert [point.holds for point in found.points] == [False]
    else:
        with pytest.raises(GateRefusedError):
            within_budget(quantization, noisy, budget, confirmed=confirmed)
        assert not asked
    with pytest.raises(GateRefusedError):
        within_budget(quantization, noisy, budget)


def test_a_budget_that_cannot_be_met_says_what_it_would_take(
    quantization: StaticQuantizer, network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    scripted = Scripted(network, face_crops[:2], SPEC, HALF)
    with pytest.raises(
        GateRefusedError, match=r"2\.0% flipped.*50\.0% flipped.*--max-f1-drop 0\.131"
    ) as caught:
        within_budget(quantization, scripted, Budget(mean=0.005, integer=0.99))
    assert caught.value.exit_code == 3


def test_layers_back_in_float_answer_as_the_float_ones(
    quantization: StaticQuantizer, evaluator: Evaluator
) -> None:
    everything = [node.name for node in quantization.float_graph.graph.node]
    assert evaluator.cost(quantization.graph(everything)).distance < 1e-6
    assert evaluator.cost(quantization.graph()).distance > 1e-4


def test_labels_are_compared_at_thresholds_fitted_for_each_graph(
    network: onnx.ModelProto, face_crops: np.ndarray
) -> None:
    faces = EvaluationFaces(
        crops_of(face_crops), present_by(network, face_crops), np.zeros((12, 478, 3)), "test"
    )
    evaluator = LabelledEvaluator(network, faces, SPEC, HALF)
    same, shifted = evaluator.cost_of(evaluator.float_logits), evaluator.cost_of(evaluator.float_logits + 0.7)
    np.testing.assert_array_equal(same.f1, [1, 1, 1, 1])
    assert shifted.mean_drop == same.mean_drop == 0, "a threshold makes up for a shift"
    worse = evaluator.cost_of(-evaluator.float_logits)
    assert worse.worst_drop > 0.1  # type: ignore[operator]
    assert same.interval == shifted.interval == (0, 0), "the faces of both graphs are drawn together"
    assert worse.interval[0] < worse.mean_drop < worse.interval[1]  # type: ignore[index, operator]
    assert same.worst_interval == (0, 0)
    assert worse.worst_interval[0] <= worse.worst_drop  # type: ignore[index, operator]
    assert worse.worst_interval[0] > 0.1  # type: ignore[index]


def test_flips_have_an_interval_that_none_seen_does_not_close(
    evaluator: Evaluator,
) -> None:
    none = evaluator.cost_of(evaluator.float_logits)
    assert none.interval == (0, pytest.approx(1 - 0.025 ** (1 / none.decisions)))
    every = evaluator.cost_of(-evaluator.float_logits)
    assert every.interval[0] <= every.flips <= every.interval[1]  # type: ignore[index]


class _Pixels(EncodedCrops):
    def __init__(self, crops: np.ndarray) -> None:
        self.crops = crops

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, chosen: slice) -> np.ndarray:
        return self.crops[chosen]


def crops_of(crops: np.ndarray) -> EncodedCrops:
    return _Pixels(crops)


def present_by(network: onnx.ModelProto, crops: np.ndarray) -> np.ndarray:
    """The upper half of what the network says: labels that it gets right at some threshold."""
    logits = logits_of(network, crops, SPEC)
    return logits > np.median(logits, axis=0)


def point(name: str, share: float, drop: float) -> QuantizationCandidate:
    return QuantizationCandidate(name, "robust", (), drop, drop, 0.0, 0.0, share, 1, 0.3, None, True)


def test_the_front_leaves_out_what_another_point_beats() -> None:
    points = [point("a", 1.0, 0.02), point("worse", 0.9, 0.03), point("b", 0.9, 0.01), point("c", 0.5, 0.0)]
    assert [item.name for item in pareto_front(points)] == ["a", "b", "c"]
    assert front_document(points, "val")["front"] == ["a", "b", "c"]
