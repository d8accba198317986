"""ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.first_line import first_line
from edgeau._system.install_lines import extra_line
from edgeau._system.processor import default_threads
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.session import EngineInfo, Session, run_in_batches, silence

__all__ = ["OnnxRuntimeSession"]

_CPU = "CPUExecutionProvider"


class OnnxRuntimeSession(Session):
    """An ONNX file with one float32 input ``(batch, 3, H, W)`` and logits ``(batch, C)`` as its first output.

    Args:
        file: the ``.onnx`` file, weights inside.
        threads: intra-op threads; None takes :func:`edgeau._system.processor.default_threads`.
        provider: an execution provider such as ``"CUDAExecutionProvider"``; None takes the CPU.

    Raises:
        DependencyError: onnxruntime is not installed.
        EngineError: the provider is not there, or the file is refused.
    """

    def __init__(self, file: Path, *, threads: int | None = None, provider: str | None = None) -> None:
        self._runtime: Any = _import()
        self._threads = default_threads() if threads is None else threads
        self._provider = provider or _CPU
        self._session: Any = self._open(file)
        entry = _picture(self._session.get_inputs(), file.name)
        self._input = entry.name
        self._outputs = [self._session.get_outputs()[0].name]
        self._batch = entry.shape[0] if isinstance(entry.shape[0], int) else None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        if self._session is None:
            raise ValueError("this session is closed")
        return run_in_batches(self._infer, batch, self._batch)

    def describe(self) -> EngineInfo:  # noqa: D102
        return EngineInfo(
            "onnxruntime", self._runtime.__version__, self._provider, self._threads, self._batch
        )

    def close(self) -> None:  # noqa: D102
        self._session = None

    def _infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (logits,) = self._session.run(self._outputs, {self._input: batch})
        except Exception as error:  # its errors share no base but Exception
            raise EngineError(f"ONNX Runtime could not run the network on {batch.shape}: {error}") from error
        if not isinstance(logits, np.ndarray) or logits.dtype.kind != "f":
            kind = getattr(logits, "dtype", type(logits).__name__)
            raise EngineError(f"the network answers with {kind}, not with one tensor of numbers")
        return logits.astype(np.float32, copy=False)

    def _open(self, file: Path) -> Any:
        self._check_available()
        try:
            session = self._runtime.InferenceSession(str(file), self._options(), providers=[self._provider])
        except Exception as error:  # its errors share no base but Exception
            raise EngineError(f"ONNX Runtime refuses {file.name}: {first_line(error)}") from error
        got = session.get_providers()
        if got[0] != self._provider:
            # It falls back to the CPU with no more than a log line when a provider's libraries do not load.
            raise EngineError(
                f"asked for {self._provider}, ONNX Runtime gave {got[0]}; install what the provider needs "
                "(its CUDA, TensorRT or driver version), or ask for CPUExecutionProvider"
            )
        return session

    def _check_available(self) -> None:
        available = self._runtime.get_available_providers()
        if self._provider not in available:
            raise EngineError(
                f"this onnxruntime {self._runtime.__version__} has no {self._provider}; "
                f"it has {', '.join(available)}; install the build of onnxruntime that brings it"
            )

    def _options(self) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = self._runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = (
            3  # errors; warnings about its own graph rewriting help nobody on a device
        )
        # A thread that spins while it waits takes its core from the camera and the landmarks, and empties batteries.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # On x86-64 without VNNI the integer kernels otherwise saturate sums of two products at 16 bits; elsewhere it changes nothing.
        options.add_session_config_entry("session.x64quantprecision", "1")
        return options


def _picture(inputs: list[Any], file: str) -> Any:
    if len(inputs) != 1:
        names = ", ".join(entry.name for entry in inputs) or "none"
        raise EngineError(f"{file} has {len(inputs)} inputs ({names}); an AU network takes one picture")
    shape = inputs[0].shape
    if len(shape) != 4 or 0 in shape:
        raise EngineError(f"{file} takes {shape}; an AU network takes (batch, channels, height, width)")
    return inputs[0]


def _import() -> Any:
    silence()
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            f"ONNX Runtime cannot be imported ({error}); {extra_line('onnxruntime')}"
        ) from error
    return onnxruntime
