"""Artifacts for ONNX Runtime: the float graph, or its Q/DQ graph."""

from __future__ import annotations

import onnx

from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.converters.parity import refuse_if_weights_differ

__all__ = ["convert"]


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the graph as it is.

    Raises:
        GateRefusedError: a weight of a float graph is not that of the network.
    """
    if request.artifact.recipe is None:
        refuse_if_weights_differ(request.file, request.graph, request.reference)
    onnx.save(request.graph, request.file)
    return ConversionResult(
        tolerance=request.reference.allowed if request.artifact.recipe is None else None,
        accuracy=request.accuracy,
        network_accuracy=request.network_accuracy,
    )
