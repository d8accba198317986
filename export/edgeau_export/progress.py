"""Progress of an export: notices that matter always, steps only on a terminal."""

from __future__ import annotations

import sys
from typing import TextIO

__all__ = ["ProgressReporter"]


class ProgressReporter:
    """Writes lines to a stream.

    Args:
        name: put before every line.
        stream: where to; None takes stderr as it is at the time.
        silent: say nothing.
    """

    def __init__(
        self, name: str = "edgeau-export", stream: TextIO | None = None, *, silent: bool = False
    ) -> None:
        self._name = name
        self._stream = stream
        self._silent = silent

    def notice(self, text: str) -> None:
        """What the user must know to judge the result: what was left out, and what stands in for what."""
        if not self._silent:
            print(f"{self._name}: {text}", file=self._stream or sys.stderr, flush=True)

    def step(self, text: str) -> None:
        """What is being done now; not said into pipes and files."""
        if (self._stream or sys.stderr).isatty():
            self.notice(text)
