"""How many threads one inference gets when nobody says."""

from __future__ import annotations

import os

__all__ = ["default_threads"]


def default_threads() -> int:
    """Half of the processors that this process may use, between 1 and 4.

    Ours: the other half stays for the camera, the face landmarks and the program around us; and a network of this size at
    batch 1 gains little from more than four.
    """
    return min(max(_usable_processors() // 2, 1), 4)


def _usable_processors() -> int:
    try:
        return len(os.sched_getaffinity(0))  # containers and taskset restrict it
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
