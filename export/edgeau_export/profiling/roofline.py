"""The roofline of this machine: how fast one thread can multiply and move data, and what that allows each layer.

Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model for multicore architectures".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgeau._system.processor import processor_name
from edgeau._system.timing import RunTimes
from edgeau.runtimes.session import silence
from edgeau_export.profiling.model_profile import Layer, ModelProfile

__all__ = ["Ceilings", "bound_seconds", "measured_ceilings"]

_SIDE = 768  # of the matrices: large enough for full speed, small enough for a second in all
_COPIED = 1 << 27  # bytes: more than any cache here
_TRIES = 7


@dataclass(frozen=True)
class Ceilings:
    """The best that one thread of this machine can do.

    Attributes:
        processor: its name.
        float_macs: float32 multiply-accumulates a second, in ONNX Runtime's matrix product.
        integer_macs: the same for uint8 by int8.
        bandwidth: bytes read and written a second, in a large copy.
    """

    processor: str
    float_macs: float
    integer_macs: float
    bandwidth: float


def measured_ceilings() -> Ceilings:
    """Measure this machine, in about a second; the best of several tries, for a ceiling is not a mean."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((_SIDE, _SIDE)).astype(np.float32) for _ in range(2))
    product = _session("MatMul", TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT)
    integer = _session("MatMulInteger", TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32)
    bytes_left = rng.integers(0, 255, (_SIDE, _SIDE), dtype=np.uint8)
    bytes_right = rng.integers(-127, 127, (_SIDE, _SIDE)).astype(np.int8)
    source = np.ones(_COPIED, np.uint8)
    target = np.empty_like(source)
    return Ceilings(
        processor=processor_name(),
        float_macs=_SIDE**3 / _best(lambda: product.run(None, {"a": left, "b": right})),
        integer_macs=_SIDE**3 / _best(lambda: integer.run(None, {"a": bytes_left, "b": bytes_right})),
        bandwidth=2 * _COPIED / _best(lambda: np.copyto(target, source)),
    )


def bound_seconds(profile: ModelProfile, ceilings: Ceilings) -> float:
    """Least time of one inference on one thread: each layer takes its arithmetic or its traffic, whichever is longer.

    Traffic is weights read once and outputs written once and read once, at the precision of the file (float32 unless the
    layer's product is in integers). A network cannot be faster with these operators; fused operators move less.
    """
    return sum(_bound(layer, ceilings) for layer in profile.layers)


def _bound(layer: Layer, ceilings: Ceilings) -> float:
    width = 1 if layer.integer else 4
    arithmetic = layer.macs / (ceilings.integer_macs if layer.integer else ceilings.float_macs)
    traffic = width * (layer.parameters + 2 * layer.activations) if layer.macs else 0
    return max(arithmetic, traffic / ceilings.bandwidth)


def _session(operator: str, left: int, right: int, result: int) -> Any:
    silence()
    import onnxruntime

    shape = [_SIDE, _SIDE]
    graph = helper.make_graph(
        [helper.make_node(operator, ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", left, shape), helper.make_tensor_value_info("b", right, shape)],
        [helper.make_tensor_value_info("c", result, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs."""
    work()
    times = RunTimes()
    for _ in range(_TRIES):
        times.run(work)
    return times.best_ms / 1e3
