"""Differences between the generations of TensorRT's interface; everything else is the same from 8.5 to 11.

========  ==========================  =============================  ================================
          8.5, 8.6                    10                             11
========  ==========================  =============================  ================================
types     flags FP16 and INT8         the network's own              the network's own, always
          allow kernels               (strongly typed)
INT8      Q/DQ, or a cache            Q/DQ, or a cache               Q/DQ
DLA       flags                       flags, up to 10.7              the network's own types
run       execute_v2 (8.5)            execute_async_v3               execute_async_v3
========  ==========================  =============================  ================================

A method of a class may use what :mod:`edgeau.runtimes.tensorrt.api` lists for the class's versions, and nothing else.
"""

# ruff: noqa: ARG002 - every generation is handed what any of them needs
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeau.errors import EngineError
from edgeau.runtimes.tensorrt.calibration import make_calibrator
from edgeau.runtimes.tensorrt.module import version_of
from edgeau.runtimes.tensorrt.options import EngineOptions
from edgeau.runtimes.tensorrt.progress import make_progress_monitor

__all__ = [
    "GENERATIONS",
    "Generation",
    "Generation10",
    "Generation11",
    "Generation85",
    "Generation86",
    "NetworkTraits",
    "generation_of",
]


@dataclass(frozen=True)
class NetworkTraits:
    """Traits of the network to be built.

    Attributes:
        quantized: it holds Q/DQ pairs.
        scales: a calibration cache without its header, for implicit INT8; None without.
    """

    quantized: bool
    scales: bytes | None = None


class Generation85:
    """TensorRT 8.5: weakly typed, FP16 and INT8 are flags, one call runs an engine and waits."""

    def __init__(self, trt: Any) -> None:
        self._trt = trt
        self._kept: list[Any] = []  # Python objects that TensorRT calls back while it builds

    def network_flags(self, options: EngineOptions, wanted: NetworkTraits) -> int:
        """For ``Builder.create_network``."""
        trt = self._trt
        return 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)

    def set_precision(self, builder: Any, config: Any, options: EngineOptions, wanted: NetworkTraits) -> None:
        """Allow half precision, and INT8 where the network asks for it."""
        trt = self._trt
        if builder.platform_has_fast_fp16:
            config.set_flag(trt.BuilderFlag.FP16)
        if wanted.quantized or wanted.scales is not None:
            if not builder.platform_has_fast_int8:
                raise EngineError(
                    "this GPU has no fast INT8; use the fp16 artifact: --artifact tensorrt/fp16"
                )
            config.set_flag(trt.BuilderFlag.INT8)

    def set_calibration(self, config: Any, scales: bytes) -> None:
        """Implicit INT8 from known scales."""
        trt = self._trt
        calibrator = make_calibrator(trt, scales)
        self._kept.append(calibrator)
        config.int8_calibrator = calibrator

    def set_level(self, config: Any, level: int) -> None:
        """The optimization level."""
        raise EngineError("TensorRT 8.5 has no optimization level; leave it out")

    def set_version_compatible(self, config: Any) -> None:
        """An engine that later TensorRT of this major version loads too."""
        raise EngineError("TensorRT 8.5 builds no version-compatible engines; leave that option out")

    def watch(self, config: Any) -> None:
        """Show how far the build is: not told before TensorRT 10."""

    def prepare_runtime(self, runtime: Any, options: EngineOptions) -> None:
        """Before an engine is loaded."""

    def place(self, problem: Any) -> str:
        """Locate a parser error."""
        return f"node {problem.node()}"

    def bind(self, context: Any, addresses: dict[str, int]) -> None:
        """Tell the context where its tensors lie: 8.5 is told at every run."""

    def run(self, context: Any, addresses: dict[str, int], stream: int) -> bool:
        """Run, and wait until it is done; ``addresses`` in the engine's order. ``stream`` must be idle."""
        return bool(context.execute_v2(list(addresses.values())))

    @property
    def asynchronous(self) -> bool:
        """True where :meth:`run` only enqueues, so that it can be captured in a CUDA graph."""
        return False


class Generation86(Generation85):
    """TensorRT 8.6: named tensors on a stream, optimization levels, version-compatible engines."""

    def set_level(self, config: Any, level: int) -> None:  # noqa: D102
        config.builder_optimization_level = level

    def set_version_compatible(self, config: Any) -> None:  # noqa: D102
        trt = self._trt
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)

    def prepare_runtime(self, runtime: Any, options: EngineOptions) -> None:  # noqa: D102
        if options.version_compatible:  # such an engine carries code of its own
            runtime.engine_host_code_allowed = True

    def bind(self, context: Any, addresses: dict[str, int]) -> None:  # noqa: D102
        for name, address in addresses.items():
            if not context.set_tensor_address(name, address):
                raise EngineError(f"TensorRT does not take memory for its tensor {name!r}")

    def run(self, context: Any, addresses: dict[str, int], stream: int) -> bool:  # noqa: D102
        return bool(context.execute_async_v3(stream))

    @property
    def asynchronous(self) -> bool:  # noqa: D102
        return True


class Generation10(Generation86):
    """TensorRT 10: types are the network's own, but for DLA and implicit INT8; progress is told."""

    def network_flags(self, options: EngineOptions, wanted: NetworkTraits) -> int:  # noqa: D102
        trt = self._trt
        if self._weak(options, wanted):
            return 0
        return 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)

    def set_precision(self, builder: Any, config: Any, options: EngineOptions, wanted: NetworkTraits) -> None:  # noqa: D102
        trt = self._trt
        if not self._weak(options, wanted):
            return
        if builder.platform_has_fast_fp16:
            config.set_flag(trt.BuilderFlag.FP16)
        if wanted.quantized or wanted.scales is not None:
            config.set_flag(trt.BuilderFlag.INT8)

    def watch(self, config: Any) -> None:  # noqa: D102
        trt = self._trt
        monitor = make_progress_monitor(trt)
        self._kept.append(monitor)
        config.progress_monitor = monitor

    def place(self, problem: Any) -> str:  # noqa: D102
        return f"node {problem.node()} {problem.node_name()} ({problem.node_operator()})"

    def _weak(self, options: EngineOptions, wanted: NetworkTraits) -> bool:
        """DLA of TensorRT 10 and implicit INT8 know weakly typed networks only."""
        return options.dla_core is not None or wanted.scales is not None


class Generation11(Generation10):
    """TensorRT 11: every network is strongly typed; calibrators and precision flags are gone."""

    def network_flags(self, options: EngineOptions, wanted: NetworkTraits) -> int:  # noqa: D102
        return 0  # the flag STRONGLY_TYPED is still there, deprecated and ignored

    def set_precision(self, builder: Any, config: Any, options: EngineOptions, wanted: NetworkTraits) -> None:  # noqa: D102
        pass

    def set_calibration(self, config: Any, scales: bytes) -> None:  # noqa: D102
        raise EngineError(
            "TensorRT 11 has no implicit INT8: leave the calibration cache out and build from the int8 artifact, "
            "whose Q/DQ pairs say the same"
        )


Generation = Generation85

# Oldest version -> class, ascending.
GENERATIONS: tuple[tuple[tuple[int, int], type[Generation85]], ...] = (
    ((8, 5), Generation85),
    ((8, 6), Generation86),
    ((10, 0), Generation10),
    ((11, 0), Generation11),
)


def generation_of(trt: Any) -> Generation:
    """The newest generation that is not newer than the module."""
    version = version_of(trt)
    fitting = [kind for since, kind in GENERATIONS if since <= version]
    return fitting[-1](trt)
