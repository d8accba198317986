"""Artifacts for ONNX Runtime: the float graph, or its Q/DQ graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from edgeau_export.context import Made

if TYPE_CHECKING:
    from edgeau_export.context import Bench
    from edgeau_export.targets.target import TargetArtifact

__all__ = ["make"]


def make(plan: TargetArtifact, bench: Bench) -> Made:
    """Write ``plan.file``."""
    if plan.recipe is None:
        onnx.save(bench.float_graph(plan.batch), bench.directory / plan.file)
        return Made(tolerance=bench.reference.allowed, accuracy=bench.float_accuracy)
    onnx.save(bench.quantized(plan.recipe, plan.batch), bench.directory / plan.file)
    return bench.made_int8(plan.recipe)
