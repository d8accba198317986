"""The interface of every sink, and the simplest one: a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from edgeau._system.closing import Closing
from edgeau.results import FrameResult

__all__ = ["CallbackSink", "Sink"]


class Sink(Closing, ABC):
    """Takes results in order. It belongs to one thread at a time; close it, or use it in ``with``.

    A sink may take its time: :class:`~edgeau.sinks.queued.QueuedSink` keeps that away from the pipeline.

    Attributes:
        name: for people, such as the address it was opened with.
    """

    name: str

    @property
    def lost(self) -> int:
        """Results, or messages to one of several receivers, that the sink itself had to give up on so far."""
        return 0

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take one result.

        Raises:
            OutputError: this result is lost; later ones may go through.
        """

    def close(self) -> None:
        """Finish and release what is held; more than once does no harm.

        Raises:
            OutputError: what was written cannot be finished.
        """


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
