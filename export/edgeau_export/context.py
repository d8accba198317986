"""What every maker of artifacts works with: where to, which network, what it is compared with, and faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeau_export.quantization.int8_search import MAX_F1_DROP, WORST_PER_MEAN, search_int8
from edgeau_export.source_network.onnx_graph import with_batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import onnx

    from edgeau.bundle.manifest import Accuracy, Calibration
    from edgeau_calibration.data.crops import CalibrationSet
    from edgeau_calibration.search.pareto import QuantizationCandidate
    from edgeau_export.progress import Voice
    from edgeau_export.quantization.face_crops import FaceCrops
    from edgeau_export.quantization.int8 import Int8
    from edgeau_export.quantization.labelled_data import LabelledData
    from edgeau_export.source_network.description import Description
    from edgeau_export.source_network.reference import Reference

__all__ = ["Bench", "Made"]


@dataclass(frozen=True)
class Made:
    """What a maker says about the file that it wrote.

    Attributes:
        tolerance: of the largest difference of a logit to the reference; None where the file is not meant to be equal.
        calibration: what its ranges come from; None for a float file.
        thresholds: on the network's own probability per label, fitted for this file; None keeps those of the network.
        fused_thresholds: the same on the fused probability.
        accuracy: measured on labelled faces, or None.
        network_accuracy: the same of the network alone, where the bundle fuses.
    """

    tolerance: float | None = None
    calibration: Calibration | None = None
    thresholds: dict[str, float] | None = None
    fused_thresholds: dict[str, float] | None = None
    accuracy: Accuracy | None = None
    network_accuracy: Accuracy | None = None


@dataclass
class Bench:
    """One export's workbench.

    Attributes:
        directory: where the files go.
        description: of the network.
        graph: float, dynamic batch.
        reference: what float artifacts must answer.
        faces: to calibrate and measure on.
        voice: says what is being done.
        labelled: faces to fit thresholds and to measure F1 on, or None.
        max_f1_drop: drop of the mean F1 that INT8 may cost.
        float_accuracy: of the float network, where somebody measured it.
        packaged_int8: what the package carries for this very network, by recipe; None where INT8 is calibrated anew.
    """

    directory: Path
    description: Description
    graph: onnx.ModelProto
    reference: Reference
    faces: FaceCrops
    voice: Voice
    labelled: LabelledData | None = None
    max_f1_drop: float = MAX_F1_DROP
    float_accuracy: Accuracy | None = None
    packaged_int8: Callable[[str], Int8 | None] | None = None
    _int8: dict[str, Int8] = field(default_factory=dict, repr=False)

    def float_graph(self, batch: int | None) -> onnx.ModelProto:
        """The float graph with a fixed batch size; None leaves it dynamic."""
        return with_batch(self.graph, batch)

    def int8(self, recipe: str) -> Int8:
        """The result of a recipe within the budget, found once however many runtimes take it.

        Args:
            recipe: by name.

        Raises:
            GateRefusedError: INT8 costs more than its budget.
        """
        if recipe not in self._int8:
            self._int8[recipe] = self._packaged(recipe) or search_int8(
                self.graph,
                self.description,
                recipe,
                self.faces,
                self.labelled,
                self.max_f1_drop,
                self.voice,
            )
        return self._int8[recipe]

    @property
    def tried_by_recipe(self) -> dict[str, tuple[QuantizationCandidate, ...]]:
        """Every quantization that was tried so far, in that order."""
        return {recipe: int8.points for recipe, int8 in self._int8.items() if int8.points}

    def quantized(self, recipe: str, batch: int | None = None) -> onnx.ModelProto:
        """The Q/DQ graph of :meth:`int8`.

        Args:
            recipe: by name.
            batch: fixed batch size, or None for a dynamic one.
        """
        return with_batch(self.int8(recipe).graph, batch)

    def made_int8(self, recipe: str) -> Made:
        """What a maker says about a file with the answers of :meth:`int8`."""
        int8 = self.int8(recipe)
        return Made(
            calibration=int8.calibration,
            thresholds=int8.thresholds,
            fused_thresholds=int8.fused_thresholds,
            accuracy=int8.accuracy,
            network_accuracy=int8.network_accuracy,
        )

    @property
    def calibration_set(self) -> CalibrationSet:
        """The crops that ranges are measured on."""
        assert self.faces.used is not None, "INT8 was planned without calibration crops"
        return self.faces.used

    def _packaged(self, recipe: str) -> Int8 | None:
        """What the package carries of a recipe, where it was measured within the budget."""
        int8 = None if self.packaged_int8 is None else self.packaged_int8(recipe)
        if int8 is None or int8.accuracy is None:
            return None
        measured = (int8.accuracy, int8.network_accuracy or int8.accuracy)
        if any((item.f1_drop_mean or 0) > self.max_f1_drop for item in measured):
            return None
        if any((item.f1_drop_max or 0) > WORST_PER_MEAN * self.max_f1_drop for item in measured):
            return None
        return int8
