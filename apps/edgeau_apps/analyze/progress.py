"""Progress bars on stderr, and lines that do not tear them."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from edgeau._system.closing import Closing
from edgeau._system.progress import progress_bar

__all__ = ["Progress", "say"]


class Progress(Closing):
    """A bar that is drawn only where someone watches: stderr is a terminal.

    Args:
        what: its label.
        total: steps to expect; None when nobody knows.
        unit: name of a step.
        draw: False for what is too short for a bar.
    """

    def __init__(self, what: str, total: int | None, unit: str, *, draw: bool = True) -> None:
        self._bar: Any = None
        if draw and sys.stderr.isatty():
            self._bar = progress_bar(desc=what, total=total, unit=f" {unit}", leave=False)

    def step(self) -> None:
        """One more is done."""
        if self._bar is not None:
            self._bar.update()

    def close(self) -> None:
        """Take the bar off the screen; a second call does nothing."""
        if self._bar is not None:
            self._bar.close()


def say(line: str, stream: TextIO) -> None:
    """Print a line, above a bar that is being drawn."""
    try:
        if not sys.stderr.isatty():
            print(line, file=stream, flush=True)
            return
        from tqdm import tqdm

        tqdm.write(line, file=stream)
    except BrokenPipeError:
        # The reader went away (| head). The work is not done for its lines: it goes on, in silence.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
