"""A session from a plain function: stands in for an engine where the engine is not the point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeau.runtimes.session import EngineInfo, Session

__all__ = ["FunctionSession"]


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
