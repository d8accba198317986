"""Owners of an engine or a thread are used in the process that opened them, and until they are closed; else they say so instead of crashing."""

from __future__ import annotations

import os
import threading

from edgeau.errors import EngineError, UsageError

__all__ = ["Lifetime"]


class Lifetime:
    """From opening to closing, in one process.

    Args:
        what: it is, for messages: ``"pipeline"``.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._process_id = os.getpid()
        self._ended = False
        self._ending = threading.Lock()

    @property
    def is_here(self) -> bool:
        """True in the process that opened it."""
        return os.getpid() == self._process_id

    def check(self) -> None:
        """Refuse use after a fork or after closing.

        Raises:
            EngineError: the process was forked since: threads and locks do not come along, so that it would hang or crash.
            UsageError: it is closed.
        """
        if not self.is_here:
            raise EngineError(
                f"this {self._what} was loaded before the process forked, and its threads do not outlive that; load one in "
                "each process, or start processes with multiprocessing.get_context('spawn'): docs/in-programs.md"
            )
        if self._ended:
            raise UsageError(
                f"this {self._what} is closed; load another one, or keep it open while it is used"
            )

    def end(self) -> bool:
        """Tell whether to close now: once, and never what is the parent process's (it could wait for threads that are not here)."""
        if not self.is_here:
            return False
        with self._ending:
            first, self._ended = not self._ended, True
        return first
