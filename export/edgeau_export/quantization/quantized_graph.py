"""Result of quantizing by one recipe: the Q/DQ graph, what it was calibrated with, its thresholds, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle.manifest import Accuracy, Calibration
from edgeau_calibration.search.pareto import QuantizationCandidate

__all__ = ["QuantizedGraph", "TestAnswers"]


@dataclass(frozen=True)
class TestAnswers:
    """Logits float32 ``(n, C)`` of the float graph and of the Q/DQ graph on the labelled test faces."""

    of_float: NDArray[np.float32]
    of_quantized: NDArray[np.float32]


@dataclass(frozen=True)
class QuantizedGraph:
    """One recipe's result for one network.

    Attributes:
        graph: Q/DQ, dynamic batch.
        calibration: what its ranges and weights come from.
        thresholds: on the network's own probability per label, fitted again; None where no labels were there.
        fused_thresholds: the same on the fused probability; None where nothing is fused or no labels were there.
        accuracy: on labelled faces, fused where the bundle fuses; None where no labels were there.
        network_accuracy: accuracy of the network alone, where the bundle fuses; otherwise None.
        points: everything that was tried on the way to the budget.
        on_test: answers to the labelled test faces; None where there were none.
        packaged: the package carries it, so that nothing was calibrated now.
    """

    graph: onnx.ModelProto
    calibration: Calibration
    thresholds: dict[str, float] | None = None
    fused_thresholds: dict[str, float] | None = None
    accuracy: Accuracy | None = None
    network_accuracy: Accuracy | None = None
    points: tuple[QuantizationCandidate, ...] = ()
    on_test: TestAnswers | None = None
    packaged: bool = False
