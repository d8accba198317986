"""Makes the two ONNX files that a board builds its engines from: half precision, and explicit INT8 with half around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import onnx

from edgeau.errors import TargetError
from edgeau_export.context import Made
from edgeau_export.converters.tensorrt.cache_file import calibration_cache
from edgeau_export.converters.tensorrt.half import with_half_precision
from edgeau_export.converters.tensorrt.qdq import activation_scales
from edgeau_export.converters.tensorrt.rules import refuse_unless_fit

if TYPE_CHECKING:
    from edgeau.bundle.manifest import Accuracy
    from edgeau_export.context import Bench
    from edgeau_export.targets.target import TargetArtifact

__all__ = ["CALIBRATION_CACHE", "make"]

CALIBRATION_CACHE = "model.trt.calibration.cache"
# Of the largest difference of a logit. Half precision keeps three digits; 0.013 was seen on the default network.
_TOLERANCE = 0.1


def make(plan: TargetArtifact, bench: Bench) -> Made:
    """Write ``plan.file``, and beside INT8 the same ranges as a calibration cache.

    Raises:
        TargetError: the network holds what TensorRT cannot build.
        GateRefusedError: INT8 costs more than its budget.
    """
    batch = plan.batch or 1  # engines have one batch; where a target names none, it is one crop at a time
    if plan.precision == "fp16":
        _write(with_half_precision(bench.float_graph(batch)), plan, bench)
        return Made(tolerance=_TOLERANCE)
    if plan.precision != "int8" or plan.recipe is None:
        raise TargetError(
            f"{plan.file}: TensorRT artifacts are fp16, or int8 with a recipe, not {plan.precision}"
        )
    pairs = bench.quantized(plan.recipe, batch)
    _write(with_half_precision(pairs), plan, bench)
    cache = calibration_cache(activation_scales(pairs))
    (bench.directory / CALIBRATION_CACHE).write_text(cache, encoding="ascii")
    made = bench.made_int8(plan.recipe)
    return replace(
        made, accuracy=_before_half(made.accuracy), network_accuracy=_before_half(made.network_accuracy)
    )


def _before_half(accuracy: Accuracy | None) -> Accuracy | None:
    """It was measured on the pairs with float32 around them."""
    return (
        None
        if accuracy is None
        else replace(accuracy, data=f"{accuracy.data}, with float32 around the pairs")
    )


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
