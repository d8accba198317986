"""OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import extra_line
from edgeau._system.processor import default_threads
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.session import EngineInfo, Session, run_in_batches, silence

__all__ = ["OpenVinoSession"]

_CPU = "CPU"


class OpenVinoSession(Session):
    """An ONNX file with one float32 input ``(batch, 3, H, W)`` and logits ``(batch, C)`` as its first output.

    It computes in float32 (and in integers where the file is quantized) on every device: left to itself OpenVINO may
    take a shorter float where a processor is fast with one.

    Args:
        file: the ``.onnx`` file, weights inside.
        threads: number of threads of one inference on the processor; None takes :func:`edgeau._system.processor.default_threads`.
        provider: an OpenVINO device such as ``"GPU"``; None takes ``"CPU"``.

    Raises:
        DependencyError: openvino is not installed.
        EngineError: the device is not there, or the file is refused.
    """

    def __init__(self, file: Path, *, threads: int | None = None, provider: str | None = None) -> None:
        openvino = _import()
        self._version = openvino.__version__.partition("-")[0]
        self._device = provider or _CPU
        compiled = self._compile(openvino.Core(), file, default_threads() if threads is None else threads)
        self._threads = int(compiled.get_property("INFERENCE_NUM_THREADS")) if self._device == _CPU else None
        if len(compiled.inputs) != 1:
            raise EngineError(
                f"{file.name} has {len(compiled.inputs)} inputs; an AU network takes one picture"
            )
        shape = compiled.input(0).get_partial_shape()
        if shape.rank.is_dynamic or len(shape) != 4 or shape[0] == 0:
            raise EngineError(
                f"{file.name} takes {shape}; an AU network takes (batch, channels, height, width)"
            )
        batch = shape[0]
        self._batch = None if batch.is_dynamic else int(batch.get_length())
        self._request: Any = compiled.create_infer_request()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        if self._request is None:
            raise ValueError("this session is closed")
        return run_in_batches(self._infer, batch, self._batch)

    def describe(self) -> EngineInfo:  # noqa: D102
        return EngineInfo("openvino", self._version, self._device, self._threads, self._batch)

    def close(self) -> None:  # noqa: D102
        self._request = None

    def _infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            outputs = self._request.infer([np.ascontiguousarray(batch)], share_inputs=True)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO could not run the network on {batch.shape}: {_reason(error)}"
            ) from error
        return np.array(outputs[0], np.float32)  # a copy: the next inference writes into the same memory

    def _compile(self, core: Any, file: Path, threads: int) -> Any:
        devices = core.available_devices
        if self._device not in devices:
            raise EngineError(
                f"OpenVINO {self._version} finds no device {self._device!r} here; it finds {', '.join(devices)}; "
                "install that device's driver, or ask for one of these"
            )
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "EXECUTION_MODE_HINT": "ACCURACY",
            "PERFORMANCE_HINT": "LATENCY",
        }
        if self._device == _CPU:
            options["INFERENCE_NUM_THREADS"] = str(threads)
            options["NUM_STREAMS"] = "1"
            # Threads that are tied to cores meet those of the camera and the landmarks there.
            options["ENABLE_CPU_PINNING"] = "NO"
        try:
            return core.compile_model(str(file), self._device, options)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO refuses {file.name}: {_reason(error)}") from error


def _import() -> Any:
    silence()
    try:
        import openvino
    except ImportError as error:
        raise DependencyError(f"OpenVINO cannot be imported ({error}); {extra_line('openvino')}") from error
    return openvino


def _reason(error: RuntimeError) -> str:
    """The last line of its message that is not a place in OpenVINO's own sources."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return reasons[-1] if reasons else type(error).__name__
