"""Building an engine from an ONNX file: minutes of trying kernels, on the device that will run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeau.errors import EngineError
from edgeau.runtimes.tensorrt.generations import Generation, NetworkTraits, generation_of
from edgeau.runtimes.tensorrt.module import Messages, make_logger
from edgeau.runtimes.tensorrt.options import EngineOptions

__all__ = ["build_engine", "is_quantized"]


def is_quantized(onnx_bytes: bytes) -> bool:
    """Tell whether an ONNX file holds Q/DQ pairs. The names of operators stand in it as they are."""
    return b"DequantizeLinear" in onnx_bytes


def build_engine(
    trt: Any,
    file: Path,
    content: bytes,
    options: EngineOptions,
    *,
    scales: bytes | None = None,
    timing: bytes = b"",
    keep_timing: Callable[[bytes], None] | None = None,
) -> bytes:
    """A serialized engine.

    Args:
        trt: the module.
        file: place of the artifact, for messages.
        content: of the artifact, ONNX with every shape fixed. It is not read from the file again: what was verified, and names the
            engine in the cache, is what is built.
        options: TensorRT's choices.
        scales: scales of a calibration cache, for implicit INT8.
        timing: a timing cache from an earlier build, or empty: kernels that it knows are not timed again.
        keep_timing: takes the timing cache of this build.

    Raises:
        EngineError: TensorRT cannot read the file, cannot build it, or has no memory left; all that it said is in the
            message.
    """
    wanted = NetworkTraits(is_quantized(content), scales)
    messages = Messages()
    logger = make_logger(trt, messages)
    generation = generation_of(trt)
    builder = _make_builder(trt, logger, messages)
    network = builder.create_network(generation.network_flags(options, wanted))
    _parse(trt, generation, network, logger, content, file, messages)
    config = _configure(trt, generation, builder, options, wanted)
    timing_cache = _set_timing(config, timing)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(
            f"TensorRT {trt.__version__} cannot build {file.name}: {_explained(messages, options)}"
        )
    if keep_timing is not None and timing_cache is not None:
        keep_timing(bytes(timing_cache.serialize()))
    return bytes(plan)


def _make_builder(trt: Any, logger: Any, messages: Messages) -> Any:
    try:
        return trt.Builder(logger)
    except (TypeError, RuntimeError) as error:  # how the binding says that the library gave nothing
        raise EngineError(
            f"TensorRT {trt.__version__} does not start ({messages.summary() if messages.errors else error}); "
            "check that nvidia-smi or tegrastats sees the GPU and that the driver fits this CUDA"
        ) from error


def _parse(
    trt: Any,
    generation: Generation,
    network: Any,
    logger: Any,
    content: bytes,
    file: Path,
    messages: Messages,
) -> None:
    parser = trt.OnnxParser(network, logger)
    if parser.parse(content):
        return
    faults = []
    for index in range(parser.num_errors):
        problem = parser.get_error(index)
        faults.append(f"{generation.place(problem)}: {problem.desc()} [{problem.code().name}]")
    raise EngineError(
        f"TensorRT {trt.__version__} cannot read {file.name}: {'; '.join(faults) or messages.summary()}; "
        "export the bundle again for this board's target"
    )


def _configure(
    trt: Any, generation: Generation, builder: Any, options: EngineOptions, wanted: NetworkTraits
) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib << 20)
    generation.set_precision(builder, config, options, wanted)
    if wanted.scales is not None:
        generation.set_calibration(config, wanted.scales)
    if options.optimization_level is not None:
        generation.set_level(config, options.optimization_level)
    if options.version_compatible:
        generation.set_version_compatible(config)
    if options.dla_core is not None:
        _set_dla(trt, builder, config, options.dla_core, wanted)
    generation.watch(config)
    return config


def _set_dla(trt: Any, builder: Any, config: Any, core: int, wanted: NetworkTraits) -> None:
    cores = builder.num_DLA_cores
    if core >= cores:
        has = (
            f"it has {cores} ({', '.join(f'dla:{i}' for i in range(cores))})"
            if cores
            else "it has none that this TensorRT drives"
        )
        raise EngineError(f"DLA core {core} was asked for on this board; {has}: take gpu")
    if wanted.quantized:
        raise EngineError("DLA takes no Q/DQ pairs; take the fp16 artifact: --artifact tensorrt/fp16")
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def _set_timing(config: Any, timing: bytes) -> Any:
    """Start from what an earlier build measured; a cache of another version or GPU counts as empty."""
    for content in (timing, b"") if timing else (b"",):
        timing_cache = config.create_timing_cache(content)
        if timing_cache is not None and config.set_timing_cache(timing_cache, False):
            return timing_cache
    return None


def _explained(messages: Messages, options: EngineOptions) -> str:
    said = messages.summary()
    if "memory" in said.lower():
        return (
            f"{said}; the device has too little free memory: close other programs, add swap, or build with a smaller "
            f"workspace than {options.workspace_mib} MiB"
        )
    return said
