"""CUDA through cuda-python, whichever layout its installed version has."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError, EngineError

__all__ = ["Cuda", "import_cudart"]

# cuda-python 12.6 and newer, then older ones.
_LAYOUTS = ("cuda.bindings.runtime", "cuda.cudart")


def import_cudart() -> Any:
    """The CUDA runtime's module.

    Raises:
        DependencyError: cuda-python is not installed.
    """
    newer, older = _LAYOUTS
    try:
        return import_module(newer)
    except ImportError:
        pass
    try:
        return import_module(older)
    except ImportError as error:
        raise DependencyError(
            f"TensorRT needs cuda-python, which cannot be imported ({error}): {extra_line('tensorrt')}"
        ) from error


class Cuda:
    """The few calls that inference needs; each raises :class:`EngineError` in one line instead of returning a code."""

    def __init__(self) -> None:
        self._cudart = import_cudart()

    def device(self) -> int:
        """Number of the current GPU."""
        cudart = self._cudart
        return int(self._check(cudart.cudaGetDevice, "find a GPU")[0])

    def properties(self, device: int) -> Any:
        """Its ``name`` (bytes), ``major`` and ``minor``, among others."""
        cudart = self._cudart
        return self._check(cudart.cudaGetDeviceProperties, "ask for the GPU's properties", device)[0]

    def driver_version(self) -> int:
        """Newest CUDA that the driver knows, as 1000 * major + 10 * minor."""
        cudart = self._cudart
        return int(self._check(cudart.cudaDriverGetVersion, "ask for the driver's version")[0])

    def allocate(self, size: int) -> int:
        """Address of ``size`` bytes of device memory."""
        cudart = self._cudart
        return int(self._check(cudart.cudaMalloc, f"get {size} bytes of device memory", size)[0])

    def free(self, address: int) -> None:
        """Give device memory back."""
        cudart = self._cudart
        self._check(cudart.cudaFree, "free device memory", address)

    def allocate_pinned(self, size: int) -> int:
        """Address of ``size`` bytes of host memory that copies need not stage."""
        cudart = self._cudart
        return int(self._check(cudart.cudaMallocHost, f"get {size} bytes of pinned memory", size)[0])

    def free_pinned(self, address: int) -> None:
        """Give pinned memory back."""
        cudart = self._cudart
        self._check(cudart.cudaFreeHost, "free pinned memory", address)

    def make_stream(self) -> int:
        """Handle of a new stream."""
        cudart = self._cudart
        return int(self._check(cudart.cudaStreamCreate, "make a stream")[0])

    def destroy_stream(self, stream: int) -> None:
        """End a stream."""
        cudart = self._cudart
        self._check(cudart.cudaStreamDestroy, "end a stream", stream)

    def wait(self, stream: int) -> None:
        """Until everything on the stream is done."""
        cudart = self._cudart
        self._check(cudart.cudaStreamSynchronize, "run the network", stream)

    def copy_to_device(self, to: int, host: int, size: int, stream: int) -> None:
        """Enqueue a copy of ``size`` bytes from pinned to device memory."""
        cudart = self._cudart
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._check(cudart.cudaMemcpyAsync, "copy to the GPU", to, host, size, kind, stream)

    def copy_to_host(self, host: int, device: int, size: int, stream: int) -> None:
        """Enqueue a copy of ``size`` bytes from device to pinned memory."""
        cudart = self._cudart
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._check(cudart.cudaMemcpyAsync, "copy from the GPU", host, device, size, kind, stream)

    def begin_capture(self, stream: int) -> None:
        """From now on what is enqueued on the stream by this thread is recorded, not run."""
        cudart = self._cudart
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._check(cudart.cudaStreamBeginCapture, "record a CUDA graph", stream, mode)

    def end_capture(self, stream: int) -> Any:
        """The recorded graph, ready to launch."""
        cudart = self._cudart
        (graph,) = self._check(cudart.cudaStreamEndCapture, "record a CUDA graph", stream)
        try:
            return self._check(cudart.cudaGraphInstantiate, "make a CUDA graph", graph, 0)[0]
        finally:
            self._check(cudart.cudaGraphDestroy, "drop a CUDA graph", graph)

    def launch(self, graph: Any, stream: int) -> None:
        """Enqueue a graph."""
        cudart = self._cudart
        self._check(cudart.cudaGraphLaunch, "run the network's CUDA graph", graph, stream)

    def destroy_graph(self, graph: Any) -> None:
        """Give a graph back."""
        cudart = self._cudart
        self._check(cudart.cudaGraphExecDestroy, "drop a CUDA graph", graph)

    def _check(self, function: Any, purpose: str, *arguments: Any) -> tuple[Any, ...]:
        try:
            code, *results = function(*arguments)
        except RuntimeError as error:  # older cuda-python without libcuda.so
            raise DependencyError(
                f"the NVIDIA driver is not there ({error}); run this on the machine with the GPU, or take "
                "--artifact onnxruntime"
            ) from error
        if int(code) != 0:
            raise EngineError(self._explained(int(code), code.name, purpose))
        return tuple(results)

    def _explained(self, code: int, name: str, purpose: str) -> str:
        cudart = self._cudart
        advice = "run this on the machine with the GPU, or take --artifact onnxruntime"
        if code == int(cudart.cudaError_t.cudaErrorMemoryAllocation):
            advice = "the GPU's memory is full: close other programs that use it"
        return f"CUDA could not {purpose} ({name}); {advice}"
