"""What every maker of artifacts works with: where to, which network, what it is compared with, and faces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.static_int8 import static_int8
from edgeau_export.onnx_graph import with_batch

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from edgeau.bundle.manifest import Accuracy, Calibration
    from edgeau_calibration.crops import CalibrationSet
    from edgeau_export.description import Description
    from edgeau_export.face_crops import FaceCrops
    from edgeau_export.reference import Reference
    from edgeau_export.voice import Voice

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
    """

    tolerance: float | None = None
    calibration: Calibration | None = None
    thresholds: dict[str, float] | None = None
    fused_thresholds: dict[str, float] | None = None
    accuracy: Accuracy | None = None


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
    """

    directory: Path
    description: Description
    graph: onnx.ModelProto
    reference: Reference
    faces: FaceCrops
    voice: Voice
    _quantized: dict[str, onnx.ModelProto] = field(default_factory=dict, repr=False)

    def float_graph(self, batch: int | None) -> onnx.ModelProto:
        """The float graph with a fixed batch size; None leaves it dynamic."""
        return with_batch(self.graph, batch)

    def quantized(self, recipe: str, batch: int | None = None) -> onnx.ModelProto:
        """The Q/DQ graph of a recipe, made once however many runtimes take it.

        Args:
            recipe: by name.
            batch: fixed batch size, or None for a dynamic one.
        """
        if recipe not in self._quantized:
            spec = self.description.input
            self._quantized[recipe] = static_int8(
                self.graph, self.calibration_set.crops, spec, load_recipe(recipe)
            )
        return with_batch(self._quantized[recipe], batch)

    @property
    def calibration_set(self) -> CalibrationSet:
        """The crops that ranges are measured on."""
        assert self.faces.used is not None, "INT8 was planned without calibration crops"
        return self.faces.used
