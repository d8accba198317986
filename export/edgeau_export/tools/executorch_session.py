"""ExecuTorch as an engine: a ``.pte`` in its own runtime, in the environment of the tool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import EngineError
from edgeau.runtimes.session import EngineInfo, Session
from edgeau_export.tools.tool_process import ToolProcess

__all__ = ["ExecuTorchSession"]

_XNNPACK = "XNNPACK"


class ExecuTorchSession(Session):
    """A ``.pte`` with one float32 input ``(1, 3, H, W)`` and logits ``(1, C)``, in a process of ExecuTorch's environment.

    Args:
        file: the ``.pte`` file.
        threads: ExecuTorch decides by itself; None or any number.
        provider: ``"XNNPACK"`` or None: the delegate is in the file.

    Raises:
        DependencyError: the environment is not there; the message has the command that makes it.
        EngineError: the file is refused.
    """

    def __init__(self, file: Path, *, threads: int | None = None, provider: str | None = None) -> None:
        del threads
        if provider not in (None, _XNNPACK):
            raise EngineError(f"ExecuTorch files of edgeau run in {_XNNPACK}, not in {provider!r}")
        self._process = ToolProcess("executorch", "executorch_run.py")
        try:
            self._process.ask(open=str(file.absolute()))
        except BaseException:
            self._process.close()
            raise

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        return self._process.run(batch)

    def describe(self) -> EngineInfo:  # noqa: D102
        return EngineInfo("executorch", self._process.version, _XNNPACK, None, 1)

    def close(self) -> None:  # noqa: D102
        self._process.close()
