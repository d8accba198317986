"""Silence for what native code writes to stderr.

MediaPipe writes about five lines when it starts, and no setting of it or of its environment turns them off; they would
break progress bars and look like faults. Only the file descriptor itself can be turned away.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["native_stderr_silenced"]

_STDERR = 2
_lock = threading.Lock()
# Several threads may start a landmarker at once: the first turns stderr away and the last one brings it back. Were each
# to save and restore for itself, the later one would save, and finally restore, the other's silence.
_depth = 0
_saved: int | None = None


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """File descriptor 2 goes nowhere inside the block and is restored after it, whatever happens in it."""
    _turn_away()
    try:
        yield
    finally:
        _bring_back()


def _turn_away() -> None:
    global _depth, _saved  # noqa: PLW0603 - the descriptor is one per process, so its state is too
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        _flush()
        try:
            _saved = os.dup(_STDERR)
        except OSError:
            _saved = None  # a service without stderr: nothing to silence
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)


def _bring_back() -> None:
    global _depth, _saved  # noqa: PLW0603
    with _lock:
        _depth -= 1
        if _depth > 0 or _saved is None:
            return
        _flush()
        os.dup2(_saved, _STDERR)
        os.close(_saved)
        _saved = None


def _flush() -> None:
    """What Python has buffered belongs to the side it was written on."""
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.flush()
