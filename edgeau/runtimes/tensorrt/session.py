"""TensorRT: the engine of an ONNX artifact, built on this device when it is first opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import EngineError
from edgeau.runtimes.session import EngineInfo, Session, run_in_batches
from edgeau.runtimes.tensorrt.engines import open_engine_of, remembered_options
from edgeau.runtimes.tensorrt.options import EngineOptions, dla_core_of

__all__ = ["TensorRtSession"]


class TensorRtSession(Session):
    """An ONNX file with one float32 input ``(B, 3, H, W)`` of a fixed batch, and logits ``(B, C)``.

    There is no silent way to the processor: what TensorRT cannot run is an error.

    Args:
        file: ``.onnx``; or an ``.engine`` that was built on this device.
        threads: not used, the GPU decides.
        provider: ``"gpu"``, or ``"dla:0"`` / ``"dla:1"`` for an accelerator with the GPU for what it cannot; None takes the
            options that :mod:`edgeau.board` was run with, or the GPU.
        options: options of the build; None takes those that the artifact was finished with on this machine, or the defaults.

    Raises:
        DependencyError: TensorRT, cuda-python or the driver is not there.
        EngineError: the engine cannot be built or loaded.
    """

    def __init__(
        self,
        file: Path,
        *,
        threads: int | None = None,  # noqa: ARG002
        provider: str | None = None,
        options: EngineOptions | None = None,
    ) -> None:
        chosen = remembered_options(file) if options is None else options
        if provider is not None:
            chosen = replace(chosen, dla_core=dla_core_of(provider))
        self._opened = open_engine_of(file, chosen)
        self._batch = self._opened.engine.input_shape[0]
        self._closed = False

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        if self._closed:
            raise ValueError("this session is closed")
        wanted = self._opened.engine.input_shape
        if batch.ndim != len(wanted) or batch.shape[1:] != wanted[1:]:
            raise EngineError(f"the TensorRT engine takes crops of {wanted[1:]}, got {batch.shape[1:]}")
        return run_in_batches(self._opened.engine.run, batch, self._batch)

    def describe(self) -> EngineInfo:  # noqa: D102
        machine, core = self._opened.machine, self._opened.options.dla_core
        device = machine.gpu if core is None else f"DLA {core} and {machine.gpu}"
        return EngineInfo("tensorrt", machine.tensorrt, device, threads=None, batch=self._batch)

    def close(self) -> None:  # noqa: D102
        if not self._closed:
            self._closed = True
            self._opened.engine.close()
