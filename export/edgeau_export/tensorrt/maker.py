"""Makes the two ONNX files that a board builds its engines from: half precision, and explicit INT8 with half around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from edgeau.errors import TargetError
from edgeau_export.bench import Made
from edgeau_export.calibration_record import calibration_record
from edgeau_export.tensorrt.cache_file import calibration_cache
from edgeau_export.tensorrt.graph import Graph
from edgeau_export.tensorrt.half import with_half_precision
from edgeau_export.tensorrt.maxima import largest_magnitudes
from edgeau_export.tensorrt.placement import place, squeezed_maps
from edgeau_export.tensorrt.qdq import with_pairs
from edgeau_export.tensorrt.ranges import taken_apart
from edgeau_export.tensorrt.rules import refuse_unless_fit

if TYPE_CHECKING:
    from edgeau_export.bench import Bench
    from edgeau_export.target import TargetArtifact

__all__ = ["CALIBRATION_CACHE", "make"]

CALIBRATION_CACHE = "model.trt.calibration.cache"
# Of the largest difference of a logit. Half precision keeps three digits; 0.013 was seen on the default network.
_TOLERANCE = 0.1
_LEVELS = 127


def make(plan: TargetArtifact, bench: Bench) -> Made:
    """Write ``plan.file``, and beside INT8 the same ranges as a calibration cache.

    Raises:
        TargetError: the network holds what TensorRT cannot build, or the recipe is not symmetric.
    """
    if plan.precision == "fp16":
        _write(with_half_precision(bench.float_graph(_batch(plan))), plan, bench)
        return Made(tolerance=_TOLERANCE)
    if plan.precision != "int8" or plan.recipe is None:
        raise TargetError(
            f"{plan.file}: TensorRT artifacts are fp16, or int8 with a recipe, not {plan.precision}"
        )
    _write(_integer(plan.recipe, plan, bench), plan, bench)
    return Made(calibration=calibration_record(bench.calibration_set, plan.recipe))


def _batch(plan: TargetArtifact) -> int:
    """Engines have one batch; where a target names none, it is one crop at a time."""
    return plan.batch or 1


def _integer(recipe: str, plan: TargetArtifact, bench: Bench) -> onnx.ModelProto:
    model, quantization = taken_apart(bench.quantized(recipe, _batch(plan)))
    graph = Graph(model)
    maps = squeezed_maps(graph, quantization)
    largest = largest_magnitudes(model, maps, bench.calibration_set.crops, bench.description.input)
    extra = {name: value / _LEVELS for name, value in largest.items() if value > 0}
    scales = {**extra, **quantization.activations}
    placement = place(graph, quantization, extra)
    known = {name: scales[name] for name in placement.inputs}
    (bench.directory / CALIBRATION_CACHE).write_text(calibration_cache(known), encoding="ascii")
    return with_half_precision(with_pairs(model, placement, scales, quantization.weights))


def _write(model: onnx.ModelProto, plan: TargetArtifact, bench: Bench) -> None:
    _forget_unused_domains(model)
    onnx.checker.check_model(model, full_check=True)
    refuse_unless_fit(model, plan.file)
    onnx.save(model, bench.directory / plan.file)


def _forget_unused_domains(model: onnx.ModelProto) -> None:
    """The quantizer's tools import every operator set that ONNX Runtime knows."""
    used = {node.domain for node in model.graph.node}
    kept = [item for item in model.opset_import if item.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
