"""How many threads one inference gets when nobody says."""

from __future__ import annotations

import os

__all__ = ["default_threads", "thread_counts", "usable_processors"]

_MOST = 4


def default_threads() -> int:
    """Half of the processors that this process may use, between 1 and 4.

    Ours: the other half stays for the camera, the face landmarks and the program around us; and a network of this size at
    batch 1 gains little from more than four.
    """
    return min(max(usable_processors() // 2, 1), _MOST)


def thread_counts() -> tuple[int, ...]:
    """The counts that are worth measuring here: 1, 2 and 4, as far as there are processors."""
    return tuple(count for count in (1, 2, _MOST) if count <= usable_processors())


def usable_processors() -> int:
    """Processors that this process may run on, 1 or more."""
    try:
        return len(os.sched_getaffinity(0))  # containers and taskset restrict it
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
