"""Artifacts for LiteRT (TensorFlow Lite): the float graph or its Q/DQ graph, converted to a ``.tflite`` file."""

from __future__ import annotations

from edgeau_export.converters.conversion import ConversionRequest, ConversionResult
from edgeau_export.converters.parity import refuse_if_tflite_weights_differ, refuse_if_weights_differ
from edgeau_export.source_network.network import Reference
from edgeau_export.source_network.onnx_graph import metadata

__all__ = ["convert"]

# On the logits of the float file. It differs from ONNX Runtime by some 3e-5, and by 1.2e-4 where other tools convert.
_TOLERANCE = 5e-4
# Of what ONNX Runtime is allowed, where that was measured on the network.
_LOOSER = 8.0
# Whose weights are numbers, and not integers with a scale.
_FLOAT = ("fp32", "fp16")


def convert(request: ConversionRequest) -> ConversionResult:
    """Write the graph, batch 1, in the artifact's precision; ``dynamic`` starts from the float graph.

    The thresholds of a Q/DQ graph hold here too; its accuracy was measured in another engine and is not said of this one.

    Raises:
        GateRefusedError: a weight of a float file is not that of the network.
    """
    # Imported only here: a target without LiteRT needs none of its packages.
    from edgeau_export.onnx_to_tflite import tflite_bytes

    precision = request.artifact.precision
    model = tflite_bytes(
        request.graph,
        precision=precision,
        metadata=metadata(request.description),
        integer_ends=request.artifact.integer_ends,
    )
    if precision in _FLOAT:
        refuse_if_weights_differ(request.file, request.graph, request.reference)
        refuse_if_tflite_weights_differ(request.file, model, request.graph, precision)
    request.file.write_bytes(model)
    return ConversionResult(tolerance=_allowed(request.reference) if precision == "fp32" else None)


def _allowed(reference: Reference) -> float:
    """Smaller in proportion where the network's own logits are small, as :attr:`Reference.allowed` has it."""
    if reference.float32_error is not None:
        return _LOOSER * reference.allowed
    return _TOLERANCE * reference.allowed / reference.tolerance
