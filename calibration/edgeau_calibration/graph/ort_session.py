"""ONNX graphs in memory, run in ONNX Runtime on the CPU."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from edgeau._system.first_line import first_line
from edgeau._system.processor import default_threads
from edgeau._system.progress import progress_bar
from edgeau._system.timing import RunTimes
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError
from edgeau.runtimes.session import EngineInfo, run_in_batches

__all__ = ["Crops", "computed_in", "logits_of", "one_face_ms", "open_model"]

_BATCH = 8
_WARM_UP, _RUNS = 3, 15


def computed_in() -> str:
    """The engine behind :func:`logits_of`, as it stands beside figures (:attr:`edgeau.runtimes.session.EngineInfo.computed_in`)."""
    info = EngineInfo("onnxruntime", onnxruntime.__version__, "CPUExecutionProvider", None, None)
    return info.computed_in


class Crops(Protocol):
    """Crops that are decoded when they are taken."""

    def __len__(self) -> int: ...

    def __getitem__(self, chosen: slice, /) -> NDArray[np.uint8]:
        """uint8 ``(n, H, W, 3)`` RGB."""


def open_model(
    model: onnx.ModelProto, *, optimized: bool = True, keep: str | None = None, threads: int | None = None
) -> Any:
    """A session of a graph in memory.

    Args:
        model: the graph.
        optimized: let ONNX Runtime rewrite it, as on a device; False runs every node as it stands.
        keep: file to write the rewritten graph to.
        threads: number of threads of one answer; None for the default of sessions.

    Raises:
        CalibrationError: ONNX Runtime refuses the graph.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = default_threads() if threads is None else threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.x64quantprecision", "1")  # as edgeau.runtimes.onnxruntime
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if keep is not None:
        options.optimized_model_filepath = keep
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors share no base but Exception
        raise CalibrationError(f"ONNX Runtime cannot run this graph: {first_line(error)}") from error


def logits_of(
    model: onnx.ModelProto, crops: Crops | NDArray[np.uint8], spec: InputSpec
) -> NDArray[np.float32]:
    """Logits ``(n, C)`` of a graph with one input and logits as its first output.

    Args:
        model: float or Q/DQ, of any batch.
        crops: uint8 ``(n, H, W, 3)`` RGB, or what gives such when it is sliced.
        spec: how the network wants them normalised.
    """
    session = open_model(model)
    (entry,) = session.get_inputs()
    fixed = entry.shape[0] if isinstance(entry.shape[0], int) else None
    preprocessor = Preprocessor(spec)
    pieces = []
    for start in progress_bar(range(0, len(crops), _BATCH), desc="answers", unit="batch", leave=False):
        batch = preprocessor.batch(crops[start : start + _BATCH])
        pieces.append(run_in_batches(lambda piece: session.run(None, {entry.name: piece})[0], batch, fixed))
    return np.concatenate(pieces)


def one_face_ms(model: onnx.ModelProto) -> float:
    """Milliseconds of one face on one thread, lower quartile of several runs.

    Other work on the machine shows in it: it orders what was tried in one search and is not a benchmark.

    Args:
        model: model of one input, float32 ``(n, 3, H, W)``.
    """
    session = open_model(model, threads=1)
    (entry,) = session.get_inputs()
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else 1
    feed = {entry.name: np.zeros((batch, *entry.shape[1:]), np.float32)}
    for _ in range(_WARM_UP):
        session.run(None, feed)
    times = RunTimes()
    for _ in range(_RUNS):
        times.run(partial(session.run, None, feed))
    return times.quartile_ms / batch
