"""INT8 for TensorRT from the INT8 that the package carries for processors: the same integers, pairs where TensorRT wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeau_calibration.measure import difference
from edgeau_calibration.running import logits_of
from edgeau_export.tensorrt.placed import placed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto

    from edgeau_export.description import Description
    from edgeau_export.int8 import Int8

__all__ = ["for_tensorrt"]


def for_tensorrt(
    packaged: Int8, graph: ModelProto, description: Description, crops: NDArray[np.uint8], flips: float
) -> Int8 | None:
    """The packaged weights and ranges, made symmetric; None where that flips more decisions than it may.

    It is compared with the packaged INT8, whose cost in F1 was measured: what decides as that does costs as much. Its
    thresholds hold here too. Its accuracy was measured with its own pairs and is not said of these.

    Args:
        packaged: INT8 of the same network.
        graph: float.
        description: of the network; its thresholds decide where the packaged INT8 has none of its own.
        crops: to compare decisions on, uint8 ``(n, size, size, 3)`` RGB.
        flips: share of the decisions that may differ from those of the packaged INT8.
    """
    result = placed(packaged.graph, graph)
    thresholds = _in_order(description, packaged.thresholds or description.thresholds)
    measured = difference(
        logits_of(packaged.graph, crops, description.input),
        logits_of(result, crops, description.input),
        thresholds,
        thresholds,
    )
    if measured.flips > flips:
        return None
    return replace(packaged, graph=result, accuracy=None, network_accuracy=None, points=(), on_test=None)


def _in_order(description: Description, thresholds: dict[str, float]) -> NDArray[np.float32]:
    return np.array([thresholds[label] for label in description.labels], np.float32)
