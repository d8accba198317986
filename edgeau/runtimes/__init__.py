"""Inference engines, one file each, imported when one is used.

A backend is a class whose constructor takes ``(file, *, threads, provider)`` and which is a
:class:`edgeau.runtimes.session.Session`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from edgeau.errors import EngineError
from edgeau.runtimes.session import Session

__all__ = ["BACKENDS", "open_session"]

# Runtime name as it stands in a manifest -> "module:Class".
BACKENDS = {
    "litert": "edgeau.runtimes.litert:LiteRTSession",
    "onnxruntime": "edgeau.runtimes.onnxruntime:OnnxRuntimeSession",
    "tensorrt": "edgeau.runtimes.tensorrt.session:TensorRtSession",
}


def open_session(
    runtime: str, file: Path, *, threads: int | None = None, provider: str | None = None
) -> Session:
    """A session of an artifact.

    Args:
        runtime: a name in :data:`BACKENDS`.
        file: the artifact.
        threads: that one inference may use; None takes the backend's default.
        provider: the engine's device or kernel library; None takes the backend's default. What is asked for is what is
            got, or an error.

    Raises:
        EngineError: the runtime is not known, refuses the file, or does not have the provider.
        DependencyError: its package is not installed.
    """
    if runtime not in BACKENDS:
        raise EngineError(f"this edgeau has no engine {runtime!r}; it has {', '.join(BACKENDS)}")
    module, name = BACKENDS[runtime].split(":")
    backend = getattr(import_module(module), name)
    return cast("Session", backend(file, threads=threads, provider=provider))
