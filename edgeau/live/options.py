"""Options of a live run."""

from __future__ import annotations

from dataclasses import dataclass

from edgeau.errors import UsageError

__all__ = ["LiveOptions"]


@dataclass(frozen=True)
class LiveOptions:
    """The balance of rate, age and heat in a live run.

    Attributes:
        fps: frames a second to keep up; None takes the source's rate, and 30 where it has none. A source that is faster
            loses frames, evenly.
        max_age_s: a result that would become older while the network looks at its faces goes out with the network's
            answer before that one.
        max_every: the network looks at every face in every k-th frame at least, with k no larger than this.
        backlog: how often results may become ready before the first of them are taken, else those are dropped; a small
            number gives a slow taker new results, a larger one all of them.
        silence_s: a source that delivers nothing for so long is reported, seconds.
        give_up_s: a source that delivers nothing for so long ends the stream with an error; None waits without limit.
        hot_c: from this temperature of the processor on the network is run less and less, degrees Celsius; None does not
            look at it.
    """

    fps: float | None = None
    max_age_s: float = 0.15
    max_every: int = 30
    backlog: int = 2
    silence_s: float = 2.0
    give_up_s: float | None = None
    hot_c: float | None = 80.0

    def __post_init__(self) -> None:
        for name in ("fps", "max_age_s", "max_every", "backlog", "silence_s", "give_up_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} must be more than 0, got {value!r}")
