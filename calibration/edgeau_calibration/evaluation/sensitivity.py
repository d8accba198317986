"""Sensitivity of layers: each unit of a quantized graph goes back to float alone, and what that fixes is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeau._system.progress import progress_bar
from edgeau_calibration.evaluation.accuracy import Evaluator
from edgeau_calibration.graph.block_partition import Unit
from edgeau_calibration.quantizer import StaticQuantizer

__all__ = ["Sensitivity", "rank_units"]


@dataclass(frozen=True)
class Sensitivity:
    """Effect of one unit on the answers.

    Attributes:
        unit: the layers.
        distance: distance of the graph with this unit alone in float, see :class:`edgeau_calibration.evaluation.accuracy.QuantizationCost`.
        gain: by how much that is nearer to the float graph than with everything integer.
        macs: multiply-accumulates of the unit.
    """

    unit: Unit
    distance: float
    gain: float
    macs: int

    @property
    def worth(self) -> float:
        """Gain for each multiply-accumulate that is given up."""
        return self.gain / max(self.macs, 1)


def rank_units(
    quantization: StaticQuantizer, evaluator: Evaluator, units: Sequence[Unit], macs: Mapping[str, int]
) -> list[Sensitivity]:
    """Every unit, the one that is most worth keeping in float first.

    Args:
        quantization: quantization of the network.
        evaluator: says how far a graph's answers are from the float ones.
        units: to try.
        macs: by name of node.
    """
    whole = evaluator.cost(quantization.graph()).distance
    found = []
    for unit in progress_bar(units, desc="sensitivity", unit="unit"):
        distance = evaluator.cost(quantization.graph(unit.nodes)).distance
        cost = sum(macs.get(name, 0) for name in unit.nodes)
        found.append(Sensitivity(unit, distance, whole - distance, cost))
    return sorted(found, key=lambda item: -item.worth)
