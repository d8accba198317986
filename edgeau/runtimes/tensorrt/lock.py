"""A lock between processes, held as long as a block runs; the system frees it when its holder dies."""

from __future__ import annotations

import fcntl
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")


@contextmanager
def locked(file: Path, purpose: str) -> Iterator[None]:
    """Hold ``file`` alone; whoever comes second says so and waits.

    Where there can be no lock (a read-only folder, a network file system without them) the block runs unlocked.

    Args:
        file: made where it is missing, and left there: removing it would let a third process lock another file.
        purpose: what the holder does, for the one who waits.
    """
    try:
        handle = file.open("a")
    except OSError:
        yield
        return
    with handle:
        _wait_for(handle.fileno(), purpose)
        yield


def _wait_for(descriptor: int, purpose: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.warning("another process is %s; waiting for it", purpose)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        _log.info("no lock on this file system: %s", error)
