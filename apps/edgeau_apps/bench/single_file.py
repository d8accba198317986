"""A file of a network by itself, or through its ``model.toml``: run as it stands, on inputs of its own shape and kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.first_line import first_line
from edgeau._system.scratch_folder import scratch_folder
from edgeau.errors import EngineError, InputError, UsageError
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.session import EngineInfo, Session, silence
from edgeau_export.source_network.weight_files import weights_bytes, weights_digest

__all__ = ["FILES", "MeasuredFile", "file_to_measure"]

FILES = (".onnx", ".tflite", ".toml")
_OPSET = 17
_KINDS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


class MeasuredFile:
    """One file that a benchmark runs.

    Args:
        file: ``.onnx`` or ``.tflite``.
        name: for people.
    """

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name
        self.runtime = "litert" if file.suffix == ".tflite" else "onnxruntime"

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex; of one whose weights lie in several files that of all of them."""
        return weights_digest(self.file)

    @property
    def bytes(self) -> int:
        """Size of the file, with those that its weights lie in."""
        return weights_bytes(self.file)

    def open(self, threads: int) -> Session:
        """A session whose ``run`` takes no notice of what it is given: its input was made when it was opened.

        Raises:
            EngineError: the engine refuses the file, or its input has no size.
            DependencyError: the engine is not installed.
        """
        return _LiteRT(self.file, threads) if self.runtime == "litert" else _OnnxRuntime(self.file, threads)


@contextmanager
def file_to_measure(path: Path) -> Iterator[MeasuredFile]:
    """A file, or what a ``model.toml`` describes: its ONNX or LiteRT file as it is, else its float graph for as long as it is measured.

    Raises:
        InputError: it is missing.
        UserError: the network that a ``model.toml`` describes cannot be opened.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; name a bundle, an .onnx or .tflite file, or a model.toml")
    if path.suffix != ".toml":
        yield MeasuredFile(path, path.name)
        return
    # The workshop, which needs onnx and perhaps torch: only for networks that are no file of an engine yet.
    from edgeau_export.source_network.from_model_file import ModelFileSource
    from edgeau_export.source_network.model_file import read_model_file

    described = read_model_file(path)
    if described.weights.suffix in (".onnx", ".tflite"):
        yield MeasuredFile(described.weights, described.title)
        return
    with scratch_folder("bench") as folder:
        file = Path(folder) / f"{path.stem}.onnx"
        file.write_bytes(ModelFileSource(path).graph(_OPSET).SerializeToString())
        yield MeasuredFile(file, described.title)


class _OnnxRuntime(Session):
    def __init__(self, file: Path, threads: int) -> None:
        silence()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4  # its errors are raised, and told then
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors share no base but Exception
            raise EngineError(f"ONNX Runtime refuses {file.name}: {first_line(error)}") from error
        self._name, self._threads, self._version = file.name, threads, onnxruntime.__version__
        self._feed = {item.name: _made(file, item) for item in self._session.get_inputs()}

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            self._session.run(None, self._feed)
        except Exception as error:  # its errors share no base but Exception
            raise EngineError(
                f"ONNX Runtime cannot run {self._name} on random inputs: {first_line(error)}"
            ) from error
        return batch

    def describe(self) -> EngineInfo:
        return EngineInfo("onnxruntime", self._version, "CPUExecutionProvider", self._threads, 1)

    def close(self) -> None:
        self._session = None


class _LiteRT(Session):
    def __init__(self, file: Path, threads: int) -> None:
        opened = interpreter(file, threads)
        self._interpreter, self._name, self._threads = opened.interpreter, file.name, threads
        self._version = f"{opened.package} {opened.version}"
        random = np.random.default_rng(0)
        try:
            for end in self._interpreter.get_input_details():
                self._interpreter.set_tensor(
                    end["index"], _random(random, tuple(end["shape"]), np.dtype(end["dtype"]))
                )
        except (ValueError, TypeError) as error:
            raise EngineError(
                f"LiteRT takes no random inputs for {file.name}: {first_line(error)}"
            ) from error

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise EngineError(
                f"LiteRT cannot run {self._name} on random inputs: {first_line(error)}"
            ) from error
        return batch

    def describe(self) -> EngineInfo:
        return EngineInfo("litert", self._version, "CPU", self._threads, 1)

    def close(self) -> None:
        self._interpreter = None


def _made(file: Path, item: Any) -> NDArray[Any]:
    """Numbers of an input's own shape and kind; an axis that is left open first is the batch, and one."""
    first, *rest = item.shape or [1]
    shape = (first if isinstance(first, int) else 1, *rest)
    if item.type not in _KINDS or not all(isinstance(length, int) for length in shape):
        raise UsageError(
            f"{file.name}: input {item.name} is {item.type} {item.shape}; it can be measured where its size is fixed"
        )
    return _random(np.random.default_rng(0), shape, np.dtype(_KINDS[item.type]))


def _random(random: np.random.Generator, shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    if kind.kind == "f":
        return random.standard_normal(shape).astype(kind)
    return random.integers(0, 100, shape).astype(kind)
