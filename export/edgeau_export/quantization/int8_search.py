"""From a recipe and calibration crops to INT8 within its budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edgeau.bundle.manifest import Calibration
from edgeau.errors import CalibrationError, GateRefusedError
from edgeau_calibration.evaluation.accuracy import LabelledEvaluator, QuantizationCost, UnlabelledEvaluator
from edgeau_calibration.graph.ort_session import computed_in, logits_of
from edgeau_calibration.quantizer import StaticQuantizer
from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.search.budget import WORST_PER_MEAN, Budget, SearchResult, within_budget
from edgeau_export.converters.tensorrt.placed import PlacedQuantization
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.face_crops import DECIDING, FaceCrops
from edgeau_export.quantization.labelled_data import LabelledData
from edgeau_export.quantization.quantized_graph import QuantizedGraph, TestAnswers
from edgeau_export.source_network.network import NetworkDescription, SourceNetwork

__all__ = ["quantized_graphs", "quantized_or_reasons", "search_int8"]

# Faces that layers are ranked on (once for every block), and that candidates are evaluated on before all faces are.
_RANKED_ON = 128
_SEARCHED_ON = 640


def quantized_graphs(
    names: Iterable[str],
    network: SourceNetwork,
    faces: FaceCrops,
    labelled: LabelledData | None,
    max_f1_drop: float,
    progress: ProgressReporter,
    packaged: Callable[[str], QuantizedGraph | None] | None = None,
) -> dict[str, QuantizedGraph]:
    """The result of every recipe, each found once however many runtimes take it.

    Args:
        names: names of recipes, in the order in which they are wanted.
        network: float.
        faces: see :func:`search_int8`, as the following.
        labelled: or None.
        max_f1_drop: drop of the mean F1 that is allowed.
        progress: says what stands in for labels.
        packaged: what the package carries for this very network, by recipe; it is taken where it was measured within the
            budget. None quantizes anew.

    Raises:
        GateRefusedError: INT8 costs more than its budget.
    """
    found: dict[str, QuantizedGraph] = {}
    for name in dict.fromkeys(names):
        ready = None if packaged is None else packaged(name)
        if ready is None or not _within(ready, max_f1_drop):
            progress.step(f"quantizing by recipe {name}")
            ready = search_int8(
                network.graph, network.description, name, faces, labelled, max_f1_drop, progress
            )
        found[name] = ready
    return found


def quantized_or_reasons(
    names: Iterable[str],
    network: SourceNetwork,
    faces: FaceCrops,
    labelled: LabelledData | None,
    max_f1_drop: float,
    progress: ProgressReporter,
    packaged: Callable[[str], QuantizedGraph | None] | None = None,
    *,
    insist: bool = False,
) -> tuple[dict[str, QuantizedGraph], dict[str, str]]:
    """The graphs of :func:`quantized_graphs`, and by recipe why the others cannot be made or do not keep their budget.

    Args:
        names: names of the recipes; the arguments up to ``packaged`` are those of that function.
        network: float.
        faces: crops to calibrate and to measure on.
        labelled: labelled faces that the budget is kept on; None decides by flips.
        max_f1_drop: mean F1 that INT8 may cost.
        progress: says what is done.
        packaged: gives a ready graph of a recipe, or None.
        insist: the user asked for INT8 by name: then there is no export without it.

    Raises:
        CalibrationError: it cannot be made, where it was insisted on.
        GateRefusedError: it does not keep its budget, where it was insisted on.
    """
    found: dict[str, QuantizedGraph] = {}
    reasons: dict[str, str] = {}
    for name in dict.fromkeys(names):
        try:
            found |= quantized_graphs((name,), network, faces, labelled, max_f1_drop, progress, packaged)
        except (CalibrationError, GateRefusedError) as error:  # noqa: PERF203 - a recipe takes minutes
            if insist:
                raise
            reasons[name] = str(error)
    return found, reasons


def _within(quantized: QuantizedGraph, max_f1_drop: float) -> bool:
    """Tell whether it was measured, and costs no more than the budget alone and fused."""
    if quantized.accuracy is None:
        return False
    measured = (quantized.accuracy, quantized.network_accuracy or quantized.accuracy)
    return all(
        (item.f1_drop_mean or 0) <= max_f1_drop and (item.f1_drop_max or 0) <= WORST_PER_MEAN * max_f1_drop
        for item in measured
    )


def search_int8(
    graph: ModelProto,
    description: NetworkDescription,
    recipe: str,
    faces: FaceCrops,
    labelled: LabelledData | None,
    max_f1_drop: float,
    progress: ProgressReporter,
) -> QuantizedGraph:
    """Quantize to a budget.

    Args:
        graph: float, dynamic batch.
        description: description of the network.
        recipe: by name.
        faces: to calibrate on, and held-out ones.
        labelled: to search, to fit thresholds and to report on; None counts decisions that flip on held-out crops.
        max_f1_drop: drop of the mean F1 that is allowed; one AU may lose four times as much.
        progress: says what stands in for labels.

    Raises:
        GateRefusedError: the budget cannot be met.
    """
    assert faces.used is not None, "INT8 was planned without calibration crops"
    assert faces.held_out is not None, "INT8 was planned without held-out crops"
    budget = Budget(max_f1_drop, WORST_PER_MEAN * max_f1_drop)
    chosen = load_recipe(recipe)
    kind = PlacedQuantization if chosen.weight_pairs else StaticQuantizer
    quantization = kind(graph, faces.used.crops, description.input, chosen)
    # Digest, count and source of the crops, the recipe, and the rule that chose the crops.
    used = faces.used
    record = Calibration(used.digest, len(used), used.source, recipe, used.rule)
    if labelled is not None:
        return _Measured(graph, labelled, budget).search(quantization, record)
    if not description.network.trained:
        progress.notice("no gate on INT8: the network was never trained, so it has no accuracy to keep")
        return QuantizedGraph(quantization.graph(), record)
    fewer = f", of {DECIDING} wanted" if len(faces.held_out) < DECIDING else ""
    progress.notice(
        f"no labelled faces: INT8 is gated on decisions that flip on {len(faces.held_out)} held-out crops{fewer} "
        f"(at most {budget.flips:.1%}), not on F1; a table with labels (picture, person, AU...) as --calib measures F1"
    )
    thresholds = description.in_order(description.thresholds)
    evaluator = UnlabelledEvaluator(graph, faces.held_out.crops, description.input, thresholds)
    found = within_budget(quantization, evaluator, budget)
    progress.notice(_evidence(found.cost, len(faces.held_out), budget))
    return QuantizedGraph(found.graph, record, points=found.points)


def _evidence(cost: QuantizationCost, crops: int, budget: Budget) -> str:
    """Say what so many crops show of INT8, and whether that is enough."""
    assert cost.flips_at_most is not None, "flips without their interval"
    found = (
        f"INT8: {cost.flips:.2%} of {cost.decisions} decisions flip on {crops} held-out crops, with 95 % "
        f"confidence at most {cost.flips_at_most:.2%} on faces like them"
    )
    if cost.flips_at_most <= budget.flips:
        return found
    wanted = f"{DECIDING} that did not calibrate" if crops < DECIDING else "more"
    return f"{found}: these crops do not show that the budget of {budget.flips:.1%} is kept; give {wanted}, or faces with labels"


class _Measured:
    """A search on labelled faces: evaluated on a part of ``val``; confirmed, with thresholds from all of it, on ``test``.

    Args:
        graph: float.
        labelled: both splits.
        budget: that must hold on both, for the network alone and fused.
    """

    def __init__(self, graph: ModelProto, labelled: LabelledData, budget: Budget) -> None:
        self._labelled = labelled
        self._budget = budget
        description = labelled.description
        self._spec = description.input
        thresholds = description.in_order(description.thresholds)
        self._evaluator = LabelledEvaluator(graph, labelled.val.evenly(_SEARCHED_ON), self._spec, thresholds)
        self._ranker = LabelledEvaluator(graph, labelled.val.evenly(_RANKED_ON), self._spec, thresholds)
        on_val, self._float_on_test = self._answers(graph)
        self._float = labelled.parts(on_val, self._float_on_test)
        self._on_test, self._parts_now = self._float_on_test, self._float

    def search(self, quantization: StaticQuantizer, record: Calibration) -> QuantizedGraph:
        found = within_budget(
            quantization, self._evaluator, self._budget, ranker=self._ranker, confirmed=self._confirmed
        )
        return self._int8(found, record)

    def _confirmed(self, graph: ModelProto, _: QuantizationCost) -> bool:
        """Tell whether the budget holds on the test split as well."""
        on_val, self._on_test = self._answers(graph)
        self._parts_now = self._labelled.parts(on_val, self._on_test)
        return all(
            np.nanmean(drops) <= self._budget.mean and np.nanmax(drops) <= self._budget.worst
            for drops in (self._parts_now[part].drop(self._float[part]) for part in self._float)
        )

    def _answers(self, graph: ModelProto) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits on all of ``val`` and ``test``."""
        on_val, on_test = (
            logits_of(graph, faces.crops, self._spec) for faces in (self._labelled.val, self._labelled.test)
        )
        return on_val, on_test

    def _int8(self, found: SearchResult, record: Calibration) -> QuantizedGraph:
        labelled = self._labelled
        accuracies = [
            labelled.accuracy(scored, self._float[part], part, computed_in())
            for part, scored in self._parts_now.items()
        ]
        thresholds = [labelled.by_label(scored.thresholds) for scored in self._parts_now.values()]
        return QuantizedGraph(
            graph=found.graph,
            calibration=record,
            thresholds=thresholds[0],
            fused_thresholds=thresholds[1] if labelled.fuses else None,
            accuracy=accuracies[-1],
            network_accuracy=accuracies[0] if labelled.fuses else None,
            points=found.points,
            on_test=TestAnswers(self._float_on_test, self._on_test),
        )
