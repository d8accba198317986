"""LiteRT (TensorFlow Lite), from ``ai-edge-litert`` or ``tflite-runtime``: whichever is installed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.processor import default_threads
from edgeau.errors import EngineError
from edgeau.runtimes.litert_interpreter import OpenedModel, interpreter
from edgeau.runtimes.session import EngineInfo, QuantizedInput, Session, run_in_batches
from edgeau.runtimes.tflite_file import check_tflite
from edgeau.runtimes.tflite_part import without_quantizer

__all__ = ["LiteRTSession"]

# Kernels that run on any processor; XNNPACK's take over what they can of a graph.
_XNNPACK, _BUILTIN = "XNNPACK", "CPU"
_NHWC = (0, 2, 3, 1)
_NCHW = (0, 1, 2, 3)


class LiteRTSession(Session):
    """A ``.tflite`` file with one picture as input and logits ``(batch, C)`` as its only output.

    The picture may be NHWC (as edgeau writes it) or NCHW, and both ends float32 or quantized: the file says which.

    Args:
        file: the ``.tflite`` file.
        threads: that one inference may use; None takes :func:`edgeau._system.processor.default_threads`.
        provider: ``"XNNPACK"`` insists on its kernels; None takes them where they fit.

    Raises:
        DependencyError: no LiteRT is installed; the message has the command for this Python and processor.
        EngineError: the file is missing, damaged, of something else, or refused, or the provider is not there.
    """

    def __init__(self, file: Path, *, threads: int | None = None, provider: str | None = None) -> None:
        if provider not in (None, _XNNPACK):
            raise EngineError(f"LiteRT has no provider {provider!r}; it has {_XNNPACK}")
        self._file = file.name
        self._threads = default_threads() if threads is None else threads
        opened = self._open(_entry(file))
        self._interpreter: Any = opened.interpreter
        self._version = f"{opened.package} {opened.version}"
        self._provider = _kernels(self._interpreter)
        if provider not in (None, self._provider):
            raise EngineError(f"asked for {provider}, {self._version} runs {file.name} without it")
        self._input = _TensorEnd(_only(self._interpreter.get_input_details(), file.name, "input"))
        self._output = _TensorEnd(_only(self._interpreter.get_output_details(), file.name, "output"))
        self._order = _order(self._input, file.name)
        self._size, *crop = (self._input.shape[self._order.index(axis)] for axis in range(4))
        self._crop = tuple(crop)
        if self._order == _NHWC:
            self.quantized_input = self._input.quantized
        # Three planes woven into one picture: numpy's copy through the transposed view takes ten times as long.
        self._weaves = (
            self._input.dtype == np.float32 and self._order == _NHWC and self._input.shape[::3] == (1, 3)
        )

    def _open(self, model: Path | bytes) -> OpenedModel:
        """Open a file, or a part of one, that was checked."""
        return interpreter(model, self._threads, self._file, checked=True)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        if self._interpreter is None:
            raise ValueError("this session is closed")
        crop = batch.shape[1:] if batch.dtype == np.float32 else (batch.shape[3], *batch.shape[1:3])
        if crop != self._crop:
            raise EngineError(f"{self._file} takes crops of shape {self._crop}, got {crop}")
        return run_in_batches(self._infer, batch, self._size)

    def describe(self) -> EngineInfo:  # noqa: D102
        return EngineInfo("litert", self._version, self._provider, self._threads, self._size)

    def close(self) -> None:  # noqa: D102
        self._interpreter = None

    def _infer(self, piece: NDArray[np.float32]) -> NDArray[np.float32]:
        self._fill(piece)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise EngineError(f"{self._version} could not run {self._file}: {error}") from error
        logits = self._output.numbers(self._interpreter.get_tensor(self._output.index))
        if logits.size % len(piece):
            raise EngineError(
                f"{self._file} gives {logits.shape} for {len(piece)} crops; an AU network gives a row for each"
            )
        return logits.reshape(len(piece), -1)

    def _fill(self, piece: NDArray[np.float32]) -> None:
        """Write into the engine's own memory; no view of it may live when it runs."""
        memory = self._interpreter.tensor(self._input.index)()
        if piece.dtype != np.float32:
            np.copyto(memory, piece)
        elif self._weaves:
            cv2.merge(list(piece[0]), memory[0])
        else:
            np.copyto(memory, self._input.integers(piece.transpose(self._order)))


class _TensorEnd:
    """The input or output of a file.

    Args:
        details: as the engine describes it.
    """

    def __init__(self, details: dict[str, Any]) -> None:
        self.index: int = details["index"]
        self.shape = tuple(int(n) for n in details["shape"])
        self.dtype = np.dtype(details["dtype"])
        scale, zero_point = details["quantization"]
        # A file whose integers are the numbers themselves, such as bytes of a picture, says a scale of 0.
        self._scale, self._zero_point = (float(scale), int(zero_point)) if scale else (1.0, 0)

    @property
    def quantized(self) -> QuantizedInput | None:
        """The integers of this end; None of float32 and of wider integers."""
        if self.dtype not in (np.int8, np.uint8):
            return None
        return QuantizedInput(self._scale, self._zero_point, self.dtype.name)

    def integers(self, numbers: NDArray[np.float32]) -> NDArray[np.generic]:
        """Numbers as the file wants them."""
        if self.dtype == np.float32:
            return numbers
        return QuantizedInput(self._scale, self._zero_point, self.dtype.name).integers(numbers)

    def numbers(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Convert the file's answer to the numbers it stands for."""
        if values.dtype == np.float32:
            return values
        answer: NDArray[np.float32] = (values.astype(np.float32) - np.float32(self._zero_point)) * np.float32(
            self._scale
        )
        return answer


def _entry(file: Path) -> Path | bytes:
    """The part of a file that is opened: where its first operator makes integers of float32, everything after that operator.

    The 256 values of a pixel become integers in a table (:class:`edgeau.bundle.preprocessing.Preprocessor`), which is faster than to
    normalise a crop in float32 and to quantize that.
    """
    check_tflite(file, file.name)
    try:
        return without_quantizer(file.read_bytes()) or file
    except (struct.error, IndexError, OSError) as error:
        raise EngineError(f"{file.name} cannot be read ({error}); copy or export it again") from error


def _only(ends: list[dict[str, Any]], file: str, what: str) -> dict[str, Any]:
    if len(ends) != 1:
        names = ", ".join(str(end["name"]) for end in ends)
        raise EngineError(f"{file} has {len(ends)} {what}s ({names}); an AU network has one")
    kind = np.dtype(ends[0]["dtype"])
    if kind not in (np.float32, np.int8, np.uint8, np.int16):
        raise EngineError(f"{file} has an {what} of {kind}; float32 or quantized integers can be used")
    return ends[0]


def _order(end: _TensorEnd, file: str) -> tuple[int, ...]:
    """Match each axis of the file's picture with the axis of NCHW that it is."""
    shape = end.shape
    if 0 in shape:
        raise EngineError(f"{file} takes {shape}, which is nothing; copy or export it again")
    if len(shape) == 4 and shape[3] in (1, 3):
        return _NHWC
    if len(shape) == 4 and shape[1] in (1, 3):
        return _NCHW
    raise EngineError(
        f"{file} takes {shape}; an AU network takes one picture, (batch, height, width, 3) or with 1 channel"
    )


def _kernels(engine: Any) -> str:
    """Whose kernels run: a graph that XNNPACK took over shows as an operator called DELEGATE."""
    # Nothing public tells. Names alone: LiteRT's own list of operators describes all their tensors too, which takes longer than loading.
    operators = engine._interpreter
    names = (operators.NodeName(number) for number in range(operators.NumNodes()))
    return _XNNPACK if "DELEGATE" in names else _BUILTIN
