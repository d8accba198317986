"""Artifacts for ONNX Runtime: the float graph, or its Q/DQ graph."""

from __future__ import annotations

import onnx

from edgeau_export.converters.conversion import ConversionRequest, ConversionResult

__all__ = ["convert"]


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the graph as it is."""
    onnx.save(request.graph, request.file)
    return ConversionResult(
        tolerance=request.reference.allowed if request.artifact.recipe is None else None,
        accuracy=request.accuracy,
        network_accuracy=request.network_accuracy,
    )
