"""Everything of TensorRT and of CUDA that this package touches, and since and until when it is there.

The table is checked twice: against the code, which may use nothing else, and against the real Python modules of TensorRT
8.6, 10.3, 10.7, 10.13 and 11.4 and of cuda-python 12.3, 12.9 and 13.0, which must have it as it stands here. No module of
8.5 for a Python that edgeau runs on exists: what 8.5 lacks of 8.6 is taken from NVIDIA's release notes.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CUDA", "CUDA_VARIABLES", "TENSORRT", "TENSORRT_VARIABLES", "Member"]


@dataclass(frozen=True)
class Member:
    """A class, method, property or enum member.

    Attributes:
        name: dotted, below the module.
        takes: names of the arguments that are given to it by position, without ``self``; None where it is not called.
        since: oldest version that has it; 8.5 stands for all.
        before: oldest version that no longer has it, or None.
        overridden: a method that TensorRT calls on a class of ours: ``takes`` is what it hands over.
    """

    name: str
    takes: tuple[str, ...] | None = None
    since: tuple[int, int] = (8, 5)
    before: tuple[int, int] | None = None
    overridden: bool = False

    def exists_in(self, version: tuple[int, int]) -> bool:
        """Tell whether a version of TensorRT has it."""
        return self.since <= version and (self.before is None or version < self.before)


_8_6, _10, _11 = (8, 6), (10, 0), (11, 0)

TENSORRT = (
    Member("Builder", takes=("logger",)),
    Member("Builder.build_serialized_network", takes=("network", "config")),
    Member("Builder.create_builder_config", takes=()),
    Member("Builder.create_network", takes=("flags",)),
    Member("Builder.num_DLA_cores"),
    Member("Builder.platform_has_fast_fp16", before=_11),
    Member("Builder.platform_has_fast_int8", before=_11),
    Member("BuilderFlag"),
    Member("BuilderFlag.FP16", before=_11),
    Member("BuilderFlag.GPU_FALLBACK"),
    Member("BuilderFlag.INT8", before=_11),
    Member("BuilderFlag.VERSION_COMPATIBLE", since=_8_6),
    Member("DataType"),
    Member("DataType.FLOAT"),
    Member("DeviceType"),
    Member("DeviceType.DLA"),
    Member("IBuilderConfig.DLA_core"),
    Member("IBuilderConfig.builder_optimization_level", since=_8_6),
    Member("IBuilderConfig.create_timing_cache", takes=("serialized_timing_cache",)),
    Member("IBuilderConfig.default_device_type"),
    Member("IBuilderConfig.int8_calibrator", before=_11),
    Member("IBuilderConfig.progress_monitor", since=_10),
    Member("IBuilderConfig.set_flag", takes=("flag",)),
    Member("IBuilderConfig.set_memory_pool_limit", takes=("pool", "pool_size")),
    Member("IBuilderConfig.set_timing_cache", takes=("cache", "ignore_mismatch")),
    Member("ICudaEngine.create_execution_context", takes=()),
    Member("ICudaEngine.get_tensor_dtype", takes=("name",)),
    Member("ICudaEngine.get_tensor_mode", takes=("name",)),
    Member("ICudaEngine.get_tensor_name", takes=("index",)),
    Member("ICudaEngine.get_tensor_shape", takes=("name",)),
    Member("ICudaEngine.num_io_tensors"),
    Member("IExecutionContext.execute_async_v3", takes=("stream_handle",)),
    Member("IExecutionContext.execute_v2", takes=("bindings",)),
    Member("IExecutionContext.set_tensor_address", takes=("name", "memory")),
    Member("IInt8EntropyCalibrator2", before=_11),
    Member("IInt8EntropyCalibrator2.__init__", takes=(), before=_11),
    Member("IInt8EntropyCalibrator2.get_batch", takes=("names",), before=_11, overridden=True),
    Member("IInt8EntropyCalibrator2.get_batch_size", takes=(), before=_11, overridden=True),
    Member("IInt8EntropyCalibrator2.read_calibration_cache", takes=(), before=_11, overridden=True),
    Member("IInt8EntropyCalibrator2.write_calibration_cache", takes=("cache",), before=_11, overridden=True),
    Member("ILogger"),
    Member("ILogger.__init__", takes=()),
    Member("ILogger.log", takes=("severity", "msg"), overridden=True),
    Member("IProgressMonitor", since=_10),
    Member("IProgressMonitor.__init__", takes=(), since=_10),
    Member("IProgressMonitor.phase_finish", takes=("phase_name",), since=_10, overridden=True),
    Member(
        "IProgressMonitor.phase_start",
        takes=("phase_name", "parent_phase", "num_steps"),
        since=_10,
        overridden=True,
    ),
    Member("IProgressMonitor.step_complete", takes=("phase_name", "step"), since=_10, overridden=True),
    Member("ITimingCache.serialize", takes=()),
    Member("MemoryPoolType"),
    Member("MemoryPoolType.WORKSPACE"),
    Member("NetworkDefinitionCreationFlag"),
    Member("NetworkDefinitionCreationFlag.EXPLICIT_BATCH", before=_11),
    Member("NetworkDefinitionCreationFlag.STRONGLY_TYPED", since=_10),
    Member("OnnxParser", takes=("network", "logger")),
    Member("OnnxParser.get_error", takes=("index",)),
    Member("OnnxParser.num_errors"),
    Member("OnnxParser.parse", takes=("model",)),
    Member("ParserError.code", takes=()),
    Member("ParserError.desc", takes=()),
    Member("ParserError.node", takes=()),
    Member("ParserError.node_name", takes=(), since=_10),
    Member("ParserError.node_operator", takes=(), since=_10),
    Member("Runtime", takes=("logger",)),
    Member("Runtime.DLA_core"),
    Member("Runtime.deserialize_cuda_engine", takes=("serialized_engine",)),
    Member("Runtime.engine_host_code_allowed", since=_8_6),
    Member("TensorIOMode"),
    Member("TensorIOMode.INPUT"),
    Member("TensorIOMode.OUTPUT"),
    Member("__version__"),
)

CUDA = (
    Member("cudaDriverGetVersion", takes=()),
    Member("cudaError_t"),
    Member("cudaError_t.cudaErrorMemoryAllocation"),
    Member("cudaFree", takes=("devPtr",)),
    Member("cudaFreeHost", takes=("ptr",)),
    Member("cudaGetDevice", takes=()),
    Member("cudaGetDeviceProperties", takes=("device",)),
    Member("cudaGraphDestroy", takes=("graph",)),
    Member("cudaGraphExecDestroy", takes=("graphExec",)),
    Member("cudaGraphInstantiate", takes=("graph", "flags")),
    Member("cudaGraphLaunch", takes=("graphExec", "stream")),
    Member("cudaMalloc", takes=("size",)),
    Member("cudaMallocHost", takes=("size",)),
    Member("cudaMemcpyAsync", takes=("dst", "src", "count", "kind", "stream")),
    Member("cudaMemcpyKind"),
    Member("cudaMemcpyKind.cudaMemcpyDeviceToHost"),
    Member("cudaMemcpyKind.cudaMemcpyHostToDevice"),
    Member("cudaStreamBeginCapture", takes=("stream", "mode")),
    Member("cudaStreamCaptureMode"),
    Member("cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal"),
    Member("cudaStreamCreate", takes=()),
    Member("cudaStreamDestroy", takes=("stream",)),
    Member("cudaStreamEndCapture", takes=("stream",)),
    Member("cudaStreamSynchronize", takes=("stream",)),
)

# How the code names what it holds, so that the check against the code knows whose member an attribute is.
TENSORRT_VARIABLES = {
    "trt": "",
    "builder": "Builder",
    "config": "IBuilderConfig",
    "context": "IExecutionContext",
    "engine": "ICudaEngine",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "problem": "ParserError",
    "runtime": "Runtime",
    "timing_cache": "ITimingCache",
}
CUDA_VARIABLES = {"cudart": ""}
