"""The most memory that this process has held."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_memory_mb"]

_STATUS = Path("/proc/self/status")


def peak_memory_mb(status: Path = _STATUS) -> float | None:
    """Largest resident memory of this process, in 1e6 bytes; None where the kernel does not tell it.

    It is VmHWM, which begins anew with a program. ``ru_maxrss`` does not: a child inherits its parent's there.
    """
    try:
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024 / 1e6  # "kB" there are 1024 bytes
    return None
