"""A log that nobody can fill: a few lines a minute of a message that repeats are kept, and the others are counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LogLimit", "limited_logs"]

_MOST_KINDS = 256


class LogLimit(logging.Filter):
    """Passes so many records of one kind (logger and unformatted message) in each span; the next one says how many were left out.

    Put it on a handler.

    Args:
        most: records of one kind in a span.
        span_s: its length, seconds.
        trace: characters of a trace that are kept at most; the end, which says what happened.
    """

    def __init__(self, most: int = 20, span_s: float = 60.0, trace: int = 4000) -> None:
        super().__init__()
        self._most, self._span_s, self._trace = most, span_s, trace
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}  # beginning of the span, records in it

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is kept."""
        now = time.monotonic()
        kind = (record.name, str(record.msg)[:200])
        if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            kind = ("", "")  # messages that are all different are one kind
        begin, count = self._kinds.get(kind, (now, 0))
        if now - begin > self._span_s:
            if count > self._most:
                record.msg, record.args = (
                    f"{record.getMessage()} ({count - self._most} more like it were left out)",
                    (),
                )
            begin, count = now, 0
        self._kinds[kind] = (begin, count + 1)
        if record.exc_info and not record.exc_text:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = text if len(text) <= self._trace else f"...{text[-self._trace :]}"
        return count < self._most


@contextmanager
def limited_logs() -> Iterator[None]:
    """A :class:`LogLimit` on each handler of the root logger, until the block ends."""
    limits = [(handler, LogLimit()) for handler in logging.getLogger().handlers]
    for handler, limit in limits:
        handler.addFilter(limit)
    try:
        yield
    finally:
        for handler, limit in limits:
            handler.removeFilter(limit)
