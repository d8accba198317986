"""The machine's own TensorRT: imported on use, and which generation of its interface it has."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from edgeau.errors import DependencyError, EngineError

__all__ = ["OLDEST", "import_tensorrt", "version_of"]

OLDEST = (8, 5)
_INSTALL = (
    "on a Jetson it comes with JetPack (sudo apt install python3-libnvinfer) and a virtual environment sees it only when "
    "made with --system-site-packages; elsewhere: pip install tensorrt"
)


def import_tensorrt() -> Any:
    """The module ``tensorrt``.

    Raises:
        DependencyError: it is not installed, or its native libraries do not load.
        EngineError: it is older than :data:`OLDEST`.
    """
    try:
        tensorrt: Any = import_module("tensorrt")
    except ImportError as error:
        raise DependencyError(f"TensorRT cannot be imported ({error}); {_INSTALL}") from error
    if version_of(tensorrt) < OLDEST:
        raise EngineError(
            f"TensorRT {tensorrt.__version__} is too old, {OLDEST[0]}.{OLDEST[1]} is the oldest that works: "
            "upgrade JetPack, or run the bundle on the processor with --artifact onnxruntime"
        )
    return tensorrt


def version_of(trt: Any) -> tuple[int, int]:
    """Major and minor version of the module."""
    numbers = [int(part) for part in re.findall(r"\d+", str(trt.__version__))[:2]]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0
