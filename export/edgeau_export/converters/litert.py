"""Artifacts for LiteRT (TensorFlow Lite): the float graph or its Q/DQ graph, converted to a ``.tflite`` file."""

from __future__ import annotations

from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.source_network.network import Reference
from edgeau_export.source_network.onnx_graph import metadata

__all__ = ["convert"]

# On the logits of the float file. It differs from ONNX Runtime by some 3e-5, and by 1.2e-4 where other tools convert.
_TOLERANCE = 5e-4
# Of what ONNX Runtime is allowed, where that was measured on the network.
_LOOSER = 8.0


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the graph, batch 1, in the artifact's precision; ``dynamic`` starts from the float graph.

    The thresholds of a Q/DQ graph hold here too; its accuracy was measured in another engine and is not said of this one.
    """
    # Imported only here: a target without LiteRT needs none of its packages.
    from edgeau_export.onnx_to_tflite import tflite_bytes

    precision = request.artifact.precision
    model = tflite_bytes(request.graph, precision=precision, metadata=metadata(request.description))
    request.file.write_bytes(model)
    return ConversionResult(tolerance=_allowed(request.reference) if precision == "fp32" else None)


def _allowed(reference: Reference) -> float:
    """Smaller in proportion where the network's own logits are small, as :attr:`Reference.allowed` has it."""
    if reference.float32_error is not None:
        return _LOOSER * reference.allowed
    return _TOLERANCE * reference.allowed / reference.tolerance
