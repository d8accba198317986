"""SIGTERM as an orderly end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["TERMINATED", "sigterm_unwinds"]

TERMINATED = 128 + signal.SIGTERM
"""Exit code of a program that SIGTERM ended, as shells count it."""


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Inside the block SIGTERM raises :class:`SystemExit`, so that every ``with`` around it finishes its files.

    Otherwise it kills at once, and leaves half of what was being written. Signals reach the main thread only: in any other
    the block does nothing, nor does it where somebody handles SIGTERM already.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the finishing
    raise SystemExit(TERMINATED)
