"""Running an engine: one input, one output, float32, through pinned memory; by a CUDA graph where that is safe."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import EdgeauError, EngineError
from edgeau.runtimes.tensorrt.cuda import Cuda
from edgeau.runtimes.tensorrt.generations import generation_of
from edgeau.runtimes.tensorrt.memory import TensorMemory
from edgeau.runtimes.tensorrt.module import Messages, make_logger
from edgeau.runtimes.tensorrt.options import EngineOptions

__all__ = ["LoadedEngine"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")
_WARM_UP = 3


class LoadedEngine:
    """An engine on the device, ready to run.

    Args:
        trt: the module.
        cuda: its memory and streams.
        serialized: the engine.
        options: it was built with.

    Raises:
        EngineError: the engine is truncated, foreign, or of another version or GPU; or the device has no memory left for
            it. Nothing is left on the device then.
    """

    def __init__(self, trt: Any, cuda: Cuda, serialized: bytes, options: EngineOptions) -> None:
        self._trt = trt
        self._cuda = cuda
        self._generation = generation_of(trt)
        self._messages = Messages()
        self._logger = make_logger(trt, self._messages)
        self._runtime: Any = None  # keeps the engine alive
        self._engine = self._deserialize(serialized, options)
        self._context = self._make_context()
        self._graph: Any = None
        self._memory: dict[str, TensorMemory] = {}
        self._stream = 0
        try:
            self._prepare(capture=options.dla_core is None)
        except BaseException:
            self.close()
            raise

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the one input, batch first."""
        return self._input.host.shape

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Output of one batch of exactly :attr:`input_shape`."""
        self._input.host[...] = batch
        if self._graph is None:
            self._enqueue()
        else:
            self._cuda.launch(self._graph, self._stream)
        self._cuda.wait(self._stream)
        return self._output.host.copy()

    def close(self) -> None:
        """Wait for the device, give everything back in the order of its making reversed; a second call does nothing."""
        if self._context is None:
            return
        with suppress(
            EdgeauError
        ):  # a device that failed cannot be waited for, and its memory is to be freed all the same
            if self._stream:
                self._cuda.wait(self._stream)
        self._give_back()
        self._context = self._engine = self._runtime = None

    def _give_back(self) -> None:
        steps = [memory.close for memory in self._memory.values()]
        if self._graph is not None:
            graph, self._graph = self._graph, None
            steps.insert(0, lambda: self._cuda.destroy_graph(graph))
        if self._stream:
            stream, self._stream = self._stream, 0
            steps.append(lambda: self._cuda.destroy_stream(stream))
        for step in steps:
            with suppress(EdgeauError):
                step()

    def _deserialize(self, serialized: bytes, options: EngineOptions) -> Any:
        trt = self._trt
        try:
            runtime = trt.Runtime(self._logger)
        except (TypeError, RuntimeError) as error:
            raise EngineError(f"TensorRT {trt.__version__} does not start: {error}") from error
        self._generation.prepare_runtime(runtime, options)
        if options.dla_core is not None:
            runtime.DLA_core = options.dla_core
        engine = runtime.deserialize_cuda_engine(serialized)
        if engine is None:
            raise EngineError(
                f"TensorRT {trt.__version__} refuses the engine, which is truncated or was built for another version or "
                f"GPU: {self._messages.summary()}"
            )
        self._runtime = runtime
        return engine

    def _make_context(self) -> Any:
        engine = self._engine
        context = engine.create_execution_context()
        if context is None:
            raise EngineError(
                f"TensorRT has no memory to run the engine: {self._messages.summary()}; close other programs on the device"
            )
        return context

    def _prepare(self, *, capture: bool) -> None:
        self._stream = self._cuda.make_stream()
        (self._input,) = self._allocate("INPUT")
        (self._output,) = self._allocate("OUTPUT")
        self._bound = self._addresses()
        self._generation.bind(self._context, self._bound)
        for _ in range(_WARM_UP):
            self._enqueue()
            self._cuda.wait(self._stream)
        if capture and self._generation.asynchronous:
            self._graph = self._captured()

    def _allocate(self, mode: str) -> list[TensorMemory]:
        trt, engine = self._trt, self._engine
        made = []
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            if engine.get_tensor_mode(name) != getattr(trt.TensorIOMode, mode):
                continue
            shape = tuple(int(size) for size in engine.get_tensor_shape(name))
            if engine.get_tensor_dtype(name) != trt.DataType.FLOAT or min(shape) < 1:
                raise EngineError(
                    f"the engine's tensor {name!r} {shape} is not float32 of one fixed shape: it was not built by edgeau"
                )
            self._memory[name] = TensorMemory(self._cuda, shape)
            made.append(self._memory[name])
        if len(made) != 1:
            raise EngineError(
                f"the engine has {len(made)} {mode.lower()}s, not one: it was not built by edgeau"
            )
        return made

    def _addresses(self) -> dict[str, int]:
        """By name, in the engine's own order, which ``execute_v2`` goes by."""
        engine = self._engine
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        return {name: self._memory[name].device for name in names}

    def _enqueue(self) -> None:
        self._input.upload(self._stream)
        if not self._generation.asynchronous:
            self._cuda.wait(self._stream)
        if not self._generation.run(self._context, self._bound, self._stream):
            raise EngineError(f"TensorRT could not run the engine: {self._messages.summary()}")
        self._output.download(self._stream)

    def _captured(self) -> Any:
        """The run as a CUDA graph, or None where a layer cannot be recorded: it is then launched kernel by kernel."""
        self._cuda.begin_capture(self._stream)
        try:
            self._enqueue()
        except EngineError as error:
            with suppress(EdgeauError):
                self._cuda.destroy_graph(self._cuda.end_capture(self._stream))
            _log.info("no CUDA graph of this engine: %s", error)
            return None
        try:
            return self._cuda.end_capture(self._stream)
        except EngineError as error:
            _log.info("no CUDA graph of this engine: %s", error)
            return None
