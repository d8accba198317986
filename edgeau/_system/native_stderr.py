"""Known lines that native code writes to stderr are dropped; everything else reaches it.

Some engines and decoders write to file descriptor 2 by themselves, and no setting turns that off; their lines would break
progress bars and look like faults. The descriptor belongs to the whole process: Python's ``sys.stderr``, other threads and
child processes write to it too. So it is not turned away but led through a file in memory for a moment, and what does not
match is handed on at the end of that moment.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["has_dropped", "native_lines_dropped"]

_STDERR = 2
_BLOCK = 1 << 16


class _Detour:
    """The target of file descriptor 2 while blocks run: one a process, as the descriptor is.

    Blocks of several threads overlap: the first one leads stderr away and the last one brings it back. Were each to save and
    restore for itself, the later one would save, and finally restore, the other's detour.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0  # that run
        self._stderr = self._memory = -1
        self._read = 0  # bytes of the memory that were handed on or dropped
        # Of all blocks so far: native threads may be late with their lines.
        self._patterns: list[re.Pattern[bytes]] = []
        self.matched: set[re.Pattern[bytes]] = set()  # of which a line was dropped

    def enter(self, pattern: re.Pattern[bytes]) -> None:
        with self._lock:
            self._blocks += 1
            if pattern not in self._patterns:
                self._patterns.append(pattern)
            if self._blocks == 1:
                self._begin()

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            _flush()
            if not self._blocks:
                self._bring_back()
            self._hand_on(whole_lines=self._blocks > 0)

    def finish(self) -> None:
        """Hand on what came after the last block: a thread may have been at its write when stderr was brought back."""
        with self._lock:
            self._hand_on(whole_lines=False)
            if self._memory >= 0:
                os.close(self._memory)
                self._memory = -1

    def after_fork(self) -> None:
        """In the child: none of the blocks runs there, and a lock that another thread held would never be free."""
        self._lock = threading.Lock()
        self._blocks = 0
        self._bring_back()
        if self._memory >= 0:  # what is in there is the parent's to hand on
            os.close(self._memory)
            self._memory = -1

    def _begin(self) -> None:
        _flush()
        self._hand_on(whole_lines=False)
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1
        try:
            stderr = os.dup(_STDERR)
        except OSError:
            return  # a service without stderr: there is nothing to drop
        try:
            self._memory = _memory_file()
        except OSError:
            os.close(stderr)  # nowhere to keep lines: then none is dropped
            return
        self._stderr, self._read = stderr, 0
        os.dup2(self._memory, _STDERR)

    def _bring_back(self) -> None:
        if self._stderr >= 0:
            os.dup2(self._stderr, _STDERR)
            os.close(self._stderr)
            self._stderr = -1

    def _hand_on(self, *, whole_lines: bool) -> None:
        """Pass on what was written since the last time, without the lines that are dropped."""
        if self._memory < 0:
            return
        text = b""
        while block := os.pread(self._memory, _BLOCK, self._read + len(text)):
            text += block
        end = text.rfind(b"\n") + 1 if whole_lines else len(text)
        self._read += end
        kept = b"".join(line for line in text[:end].splitlines(keepends=True) if not self._drops(line))
        with suppress(OSError):  # its reader went away
            while kept:
                kept = kept[os.write(_STDERR if self._stderr < 0 else self._stderr, kept) :]

    def _drops(self, line: bytes) -> bool:
        found = {pattern for pattern in self._patterns if pattern.match(line)}
        self.matched |= found
        return bool(found)


_detour = _Detour()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_detour.after_fork)
atexit.register(_detour.finish)


@contextmanager
def native_lines_dropped(pattern: re.Pattern[bytes]) -> Iterator[None]:
    """Lines of file descriptor 2 that match are dropped inside the block; all others reach it, at the block's end at the latest.

    For short moments only: a process that is killed inside the block loses what it wrote last, and a program that is started
    inside it keeps the file in memory as its stderr.

    Args:
        pattern: matched from the beginning of each line; it names what is expected, never everything.
    """
    _detour.enter(pattern)
    try:
        yield
    finally:
        _detour.leave()


def has_dropped(pattern: re.Pattern[bytes]) -> bool:
    """Tell whether a line of this pattern was dropped already: what is written once a process needs no block any more."""
    return pattern in _detour.matched


def _memory_file() -> int:
    """A file without a name that is written and read through one descriptor."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("stderr")
    else:
        with tempfile.TemporaryFile() as file:
            memory = os.dup(file.fileno())
    try:
        import fcntl  # not on every system

        # Writes of several threads would else take the same place in it: memory files have no lock of their own.
        fcntl.fcntl(memory, fcntl.F_SETFL, os.O_APPEND)
    except ImportError:
        pass
    return memory


def _flush() -> None:
    """Flush what Python has buffered: it belongs to the side it was written on."""
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.flush()
