"""The interface of every inference engine, and a session made of a plain function."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau.runtimes.table import runtime_named

__all__ = [
    "EngineInfo",
    "FunctionSession",
    "LogitSession",
    "QuantizedInput",
    "Session",
    "batches",
    "run_in_batches",
    "silence",
]

# Logits of +-16: what float32 still tells from certainty, and eight bits by far do not.
_CERTAIN = 1e-7


@dataclass(frozen=True)
class EngineInfo:
    """Engine that runs a session, for reports and for the cache of verified engines.

    Attributes:
        engine: name in :data:`edgeau.runtimes.table`.
        version: version of the engine's package.
        provider: the device or kernel library that it really uses.
        threads: that one inference may use; None where the engine decides.
        batch: fixed batch size of the artifact, or None for a dynamic one.
    """

    engine: str
    version: str
    provider: str
    threads: int | None
    batch: int | None

    @property
    def computed_in(self) -> str:
        """Text that stands beside figures: ``"ONNX Runtime 1.31.1, CPUExecutionProvider"``."""
        return f"{runtime_named(self.engine).title} {self.version}, {self.provider}"

    def __str__(self) -> str:
        threads = "" if self.threads is None else f", {self.threads} thread{'s' * (self.threads != 1)}"
        return f"{self.engine} {self.version} ({self.provider}{threads})"


@dataclass(frozen=True)
class QuantizedInput:
    """The integers that a network's input is made of: ``value = scale * (integer - zero_point)``.

    Attributes:
        scale: size of a step, in normalised values.
        zero_point: integer that stands for 0.
        dtype: ``"int8"`` or ``"uint8"``.
    """

    scale: float
    zero_point: int
    dtype: str

    def integers(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """The integers nearest to normalised values, of the same shape.

        Calculated as XNNPACK calculates them (``f32-qs8-vcvt``): times the inverse of the scale in float32, halves to even numbers.
        """
        limits = np.iinfo(self.dtype)
        steps = np.rint(values * (np.float32(1) / np.float32(self.scale))) + np.float32(self.zero_point)
        integers: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(self.dtype)
        return integers


class Session(Closing, Protocol):
    """A network, ready to run. It belongs to one thread at a time."""

    quantized_input: QuantizedInput | None = None
    """The integers, ``(N, H, W, 3)``, that :meth:`run` takes as well, and faster; None where it takes normalised values alone."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of some crops.

        Args:
            batch: float32 ``(N, 3, H, W)``, normalised; any N of 1 or more, whatever batch the artifact was built for.

        Returns:
            float32 ``(N, C)``, one logit per AU in the order of the bundle's labels.

        Raises:
            EngineError: the engine failed.
        """
        ...

    def describe(self) -> EngineInfo:
        """Name the engine that runs this session."""
        ...

    def close(self) -> None:
        """Give the engine's memory back; a second call does nothing."""
        ...


def batches(batch: NDArray[np.float32], size: int) -> list[NDArray[np.float32]]:
    """A batch cut into pieces of exactly ``size``, the last one filled up with zeros.

    For artifacts with a fixed batch: run each piece and keep the first N answers.
    """
    missing = -len(batch) % size
    if missing:
        batch = np.concatenate((batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)))
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def run_in_batches(
    infer: Callable[[NDArray[np.float32]], NDArray[np.float32]], batch: NDArray[np.float32], size: int | None
) -> NDArray[np.float32]:
    """The answers ``(N, C)`` of an artifact with a fixed batch to any N crops, a copy; with None it takes them at once.

    Args:
        infer: answers a batch of exactly ``size``, or of any size.
        batch: float32 ``(N, 3, H, W)``, N of 1 or more.
        size: the artifact's batch, or None.
    """
    if size is None or size == len(batch):
        return infer(batch)
    return np.concatenate([infer(piece) for piece in batches(batch, size)])[: len(batch)]


class FunctionSession(Session):
    """Runs ``function``: normalised crops, float32 ``(N, 3, H, W)``, to logits ``(N, C)``."""

    def __init__(self, function: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
        self._function = function

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        return np.asarray(self._function(batch), np.float32)

    def describe(self) -> EngineInfo:  # noqa: D102
        name = getattr(self._function, "__name__", type(self._function).__name__)
        return EngineInfo("function", "1", name, threads=None, batch=None)

    def close(self) -> None:  # noqa: D102
        pass


class LogitSession(Session):
    """Another session whose file answers with probabilities: their logits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.quantized_input = session.quantized_input

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        inside = np.clip(self._session.run(batch).astype(np.float64), _CERTAIN, 1 - _CERTAIN)
        return np.log(inside / (1 - inside)).astype(np.float32)

    def describe(self) -> EngineInfo:  # noqa: D102
        return self._session.describe()

    def close(self) -> None:  # noqa: D102
        self._session.close()


def silence() -> None:
    """Call it before the first import of an engine; a package that is imported already is left as it is.

    - ONNX Runtime from 1.29 on reports which models are run, unless ``ORT_DISABLE_TELEMETRY`` is set.
    - OpenVINO's Python package sends an event to Google Analytics on import, through ``openvino_telemetry``, which has no switch
      but a file in the user's home directory. Where that package cannot be imported OpenVINO uses a stub, so it is made
      unimportable in this process.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
