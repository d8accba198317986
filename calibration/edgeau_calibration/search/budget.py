"""The accuracy gate, and quantizing to its budget: layers that hurt most for what they save go back to float till it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import onnx

from edgeau.errors import GateRefusedError
from edgeau_calibration.evaluation.accuracy import Evaluator, QuantizationCost
from edgeau_calibration.evaluation.sensitivity import Sensitivity, rank_units
from edgeau_calibration.graph.block_partition import blocks
from edgeau_calibration.graph.macs import integer_share, macs_by_node
from edgeau_calibration.graph.ort_session import one_face_ms
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.search.pareto import QuantizationCandidate

__all__ = ["MAX_F1_DROP", "WORST_PER_MEAN", "Budget", "SearchResult", "within_budget"]

# What INT8 may cost unless told otherwise: drop of the mean F1; and so many times as much of any one AU.
MAX_F1_DROP = 0.005
WORST_PER_MEAN = 4.0

# Decisions that may flip for each unit of mean F1 drop, where there are no labels: about what was seen with labels.
_FLIPS_PER_DROP = 4.0
# Flips that are no evidence, however few decisions there are to compare.
_CHANCE = 2


@dataclass(frozen=True)
class Budget:
    """The accuracy gate: what INT8 may cost.

    Attributes:
        mean: drop of the mean F1.
        worst: drop of the F1 of any one AU.
        integer: share of the multiply-accumulates that must remain integer, 0..1: with less, it is not an INT8 artifact.
    """

    mean: float = MAX_F1_DROP
    worst: float = WORST_PER_MEAN * MAX_F1_DROP
    integer: float = 0.5

    @property
    def flips(self) -> float:
        """Share of the decisions that may differ, where there are no labels."""
        return _FLIPS_PER_DROP * self.mean

    def holds(self, cost: QuantizationCost) -> bool:
        """Tell whether a cost is within the budget."""
        mean, worst = cost.mean_drop, cost.worst_drop
        if mean is None or worst is None:
            return round(cost.flips * cost.decisions) <= max(self.flips * cost.decisions, _CHANCE)
        return mean <= self.mean and worst <= self.worst

    def may_hold(self, cost: QuantizationCost) -> bool:
        """Tell whether the faces leave it open that a cost is within the budget: a share of all faces is too few to refuse by an AU."""
        if self.holds(cost):
            return True
        if cost.mean_drop is None or cost.interval is None or cost.worst_interval is None:
            return False
        return cost.interval[0] <= self.mean and cost.worst_interval[0] <= self.worst


@dataclass(frozen=True)
class SearchResult:
    """A quantized graph within its budget.

    Attributes:
        graph: Q/DQ.
        cost: on the faces that were searched with.
        kept_float: names of the units that went back to float.
        macs_int8: share of the multiply-accumulates done in integers, 0..1.
        points: everything that was tried, in that order.
        sensitivity: sensitivity of the units, the most worthwhile first; empty where nothing had to go back.
    """

    graph: onnx.ModelProto
    cost: QuantizationCost
    kept_float: tuple[str, ...]
    macs_int8: float
    points: tuple[QuantizationCandidate, ...]
    sensitivity: tuple[Sensitivity, ...]


def within_budget(
    quantization: StaticQuantizer,
    evaluator: Evaluator,
    budget: Budget,
    *,
    ranker: Evaluator | None = None,
    confirmed: Callable[[onnx.ModelProto, QuantizationCost], bool] | None = None,
) -> SearchResult:
    """The quantized graph with the fewest multiply-accumulates in float that costs no more than the budget.

    Args:
        quantization: quantization of the network.
        evaluator: measures what a graph costs.
        budget: that must hold.
        ranker: measures what each block does, on fewer faces; None takes ``evaluator``.
        confirmed: decides on more faces, those that were not searched with among them. With it the search only rules out graphs that its
            own faces show to be beyond the budget; without it they decide.

    Raises:
        GateRefusedError: the budget cannot be met; the message says how near it came and what it would take.
    """
    search = _Search(quantization, evaluator, budget)
    order: tuple[Sensitivity, ...] = ()
    units = 0 if quantization.recipe.throughout else len(blocks(quantization.float_graph.graph))
    for step in range(units + 1):
        if step == 1:
            order = search.order(ranker or evaluator)
        if step > len(order) or (step and order[step - 1].gain <= 0):
            break
        graph, cost, share = search.try_with(order[:step])
        if share < budget.integer:
            break
        if budget.holds(cost) if confirmed is None else budget.may_hold(cost) and confirmed(graph, cost):
            kept = tuple(item.unit.name for item in order[:step])
            return SearchResult(graph, cost, kept, share, tuple(search.points), order)
    raise GateRefusedError(_refusal(search.points, budget))


class _Search:
    """Tries graphs and notes what each of them cost."""

    def __init__(self, quantization: StaticQuantizer, evaluator: Evaluator, budget: Budget) -> None:
        self._quantization = quantization
        self._evaluator = evaluator
        self._budget = budget
        self._macs = macs_by_node(quantization.float_graph)
        self._for_tensorrt = quantization.recipe.weight_pairs  # nobody else wants its weights so
        self._float_bytes = quantization.float_graph.ByteSize()
        self.points: list[QuantizationCandidate] = []

    def order(self, ranker: Evaluator) -> tuple[Sensitivity, ...]:
        units = blocks(self._quantization.float_graph.graph)
        return tuple(rank_units(self._quantization, ranker, units, self._macs))

    def try_with(self, kept: tuple[Sensitivity, ...]) -> tuple[onnx.ModelProto, QuantizationCost, float]:
        graph = self._quantization.graph(name for item in kept for name in item.unit.nodes)
        cost, share = self._evaluator.cost(graph), integer_share(graph, self._macs)
        self.points.append(self._point(graph, cost, share, tuple(item.unit.name for item in kept)))
        return graph, cost, share

    def _point(
        self, graph: onnx.ModelProto, cost: QuantizationCost, share: float, kept: tuple[str, ...]
    ) -> QuantizationCandidate:
        recipe, size = self._quantization.recipe.name, graph.ByteSize()
        return QuantizationCandidate(
            name=f"{recipe}, {len(kept)} blocks in float" if kept else recipe,
            recipe=recipe,
            kept_float=kept,
            f1_drop_mean=cost.mean_drop,
            f1_drop_max=cost.worst_drop,
            flips=cost.flips,
            distance=cost.distance,
            macs_int8=share,
            bytes=size,
            size_ratio=size / self._float_bytes,
            latency_ms=None if self._for_tensorrt else one_face_ms(graph),  # another processor's
            holds=self._budget.holds(cost),
            interval=cost.interval,
        )


def _refusal(points: list[QuantizationCandidate], budget: Budget) -> str:
    first, last = points[0], points[-1]
    integer = [point for point in points if point.macs_int8 >= budget.integer] or points[:1]
    nearest = min(integer, key=lambda point: point.distance)
    too_little = f", and at least {budget.integer:.0%} must stay" if last.macs_int8 < budget.integer else ""
    return (
        f"INT8 does not keep its budget of {_budget_text(first, budget)}: with everything integer it costs "
        f"{_cost_text(first)}; with {len(last.kept_float)} blocks back in float ({last.macs_int8:.0%} of the "
        f"multiply-accumulates integer{too_little}) {_cost_text(last)}. Nothing was written. It would take --max-f1-drop "
        f"{_needed(nearest):.3g}, quantization-aware fine-tuning of the checkpoint, or --precision fp32"
    )


def _budget_text(point: QuantizationCandidate, budget: Budget) -> str:
    if point.f1_drop_mean is None:
        return f"{budget.flips:.1%} flipped decisions"
    return f"{budget.mean:g} mean F1 and {budget.worst:g} of any AU"


def _cost_text(point: QuantizationCandidate) -> str:
    if point.f1_drop_mean is None or point.f1_drop_max is None:
        return f"{point.flips:.1%} flipped decisions"
    return f"{point.f1_drop_mean:.4f} mean F1 and {point.f1_drop_max:.4f} of one AU"


def _needed(point: QuantizationCandidate) -> float:
    """The ``--max-f1-drop`` with which the nearest graph would pass, rounded up; the allowance of one AU grows with it."""
    if point.f1_drop_mean is None or point.f1_drop_max is None:
        return point.flips / _FLIPS_PER_DROP * 1.05
    return max(point.f1_drop_mean, point.f1_drop_max / WORST_PER_MEAN, 0.0) * 1.05
