"""How long a graph takes for one face in ONNX Runtime on this machine, to weigh what is tried against each other."""

from __future__ import annotations

import time

import numpy as np
import onnx

from edgeau_calibration.graph.ort_session import open_model

__all__ = ["one_face_ms"]

_WARM_UP, _RUNS = 3, 15


def one_face_ms(model: onnx.ModelProto) -> float:
    """Median milliseconds of one face on one thread.

    Other work on the machine shows in it: it orders what was tried in one search and is no benchmark.

    Args:
        model: of one input, float32 ``(n, 3, H, W)``.
    """
    session = open_model(model, threads=1)
    (entry,) = session.get_inputs()
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else 1
    feed = {entry.name: np.zeros((batch, *entry.shape[1:]), np.float32)}
    taken = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        session.run(None, feed)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[_WARM_UP:]) * 1e3 / batch)
