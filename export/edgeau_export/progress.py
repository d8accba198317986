"""Progress of an export: notices that matter always, steps only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

__all__ = ["ProgressReporter"]

_SHOWN = 10


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
        self.incomplete = False  # whether something of what the user gave could not be used

    def notice(self, text: str) -> None:
        """Say what the user must know to weigh the result: what was left out, and what stands in for what."""
        if not self._silent:
            print(f"{self._name}: {text}", file=self._stream or sys.stderr, flush=True)

    def left_out(self, lines: Sequence[str]) -> None:
        """Name parts of the user's data that cannot be used: the export is done in part."""
        self.incomplete = self.incomplete or bool(lines)
        for line in lines[:_SHOWN]:
            self.notice(f"left out: {line}")
        if len(lines) > _SHOWN:
            self.notice(f"left out: {len(lines) - _SHOWN} more")

    def step(self, text: str) -> None:
        """Say what is being done now; not into pipes and files."""
        if (self._stream or sys.stderr).isatty():
            self.notice(text)
