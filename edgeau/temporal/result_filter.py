"""What results pass through on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgeau.results import FrameResult

__all__ = ["ResultFilter"]


class ResultFilter(Protocol):
    """A causal step over the results of one stream: smoothing, a running baseline, hysteresis.

    It sees every result in order, and runs in the thread that takes them. Live, several results in a row may carry one
    answer of the network: :attr:`~edgeau.results.Face.aus_time_s` tells a new answer from a repeated one.
    """

    def apply(self, result: FrameResult) -> FrameResult:
        """The result to give instead."""
        ...

    def reset(self) -> None:
        """Forget the results so far: what comes next is another stream."""
        ...
