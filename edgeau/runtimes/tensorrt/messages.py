"""What TensorRT says while it works, kept so that an error can be passed on in full."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["Messages", "make_logger"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")


class Messages:
    """The errors and warnings of one piece of work, in order."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def take(self, severity: str, text: str) -> None:
        """One message; what is no error goes to ``logging`` for whoever wants it."""
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
