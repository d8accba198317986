"""Results to a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edgeau.sinks.sink import Sink

if TYPE_CHECKING:
    from edgeau.results import FrameResult

__all__ = ["CallbackSink"]


class CallbackSink(Sink):
    """Calls a function with every result.

    Args:
        function: takes a :class:`~edgeau.results.FrameResult`; what it returns is not looked at.
    """

    def __init__(self, function: Callable[[FrameResult], Any]) -> None:
        self.name = getattr(function, "__qualname__", type(function).__name__)
        self._function = function

    def write(self, result: FrameResult) -> None:
        """Call it; what it raises comes through."""
        self._function(result)
