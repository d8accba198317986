"""Artifacts for LiteRT (TensorFlow Lite): the float graph or its Q/DQ graph, converted to a ``.tflite`` file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeau_export.context import Made
from edgeau_export.source_network.onnx_graph import metadata

if TYPE_CHECKING:
    from edgeau_export.context import Bench
    from edgeau_export.targets.target import TargetArtifact

__all__ = ["make"]

# On the logits of the float file. It differs from ONNX Runtime by some 3e-5, and by 1.2e-4 where other tools convert.
_TOLERANCE = 5e-4


def make(plan: TargetArtifact, bench: Bench) -> Made:
    """Write ``plan.file``; batch 1, as the files of this runtime have it.

    Float precisions and ``dynamic`` start from the float graph; those with a recipe from its Q/DQ graph.
    """
    # Imported only here: a target without LiteRT needs none of its packages.
    from edgeau_export.onnx_to_tflite import tflite_bytes

    graph = bench.float_graph(1) if plan.recipe is None else bench.quantized(plan.recipe, 1)
    model = tflite_bytes(graph, precision=plan.precision, metadata=metadata(bench.description))
    (bench.directory / plan.file).write_bytes(model)
    if plan.recipe is None:
        return Made(tolerance=_allowed(bench) if plan.precision == "fp32" else None)
    # Its thresholds hold here too; its accuracy was measured in another engine and is not said of this one.
    return replace(bench.made_int8(plan.recipe), accuracy=None, network_accuracy=None)


def _allowed(bench: Bench) -> float:
    """Smaller in proportion where the network's own logits are small, as :attr:`Reference.allowed` has it."""
    return _TOLERANCE * bench.reference.allowed / bench.reference.tolerance
