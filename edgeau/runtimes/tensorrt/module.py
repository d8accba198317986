"""The machine's own TensorRT: imported on use, its version, and what it says while it works."""

from __future__ import annotations

import logging
import re
from importlib import import_module
from typing import Any

from edgeau._system.install_lines import LINES
from edgeau.errors import DependencyError, EngineError

__all__ = ["OLDEST", "Messages", "import_tensorrt", "make_logger", "version_of"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")

OLDEST = (8, 5)
_INSTALL = (
    "on a Jetson it comes with JetPack (sudo apt install python3-libnvinfer) and a virtual environment sees it only when "
    "made with --system-site-packages; elsewhere: " + LINES["tensorrt"]
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


class Messages:
    """The errors and warnings of one piece of work, in order."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def take(self, severity: str, text: str) -> None:
        """One message; what is not an error goes to ``logging`` for whoever wants it."""
        if severity.endswith("ERROR"):
            self.errors.append(text.strip())
        elif severity == "WARNING":
            _log.info("TensorRT: %s", text)
        else:
            _log.debug("TensorRT: %s", text)

    def summary(self) -> str:
        """All errors in one line, each once."""
        return "; ".join(dict.fromkeys(self.errors)) or "TensorRT gave no reason"


def make_logger(trt: Any, messages: Messages) -> Any:
    """A TensorRT logger that hands everything to ``messages``; keep it as long as what was made with it."""

    class _Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            messages.take(severity.name, msg)

    return _Logger()
