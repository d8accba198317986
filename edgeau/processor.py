"""Which processor this is, as far as its arithmetic goes."""

from __future__ import annotations

import platform
from pathlib import Path

__all__ = ["processor_identity"]

# Lines of /proc/cpuinfo that say what kernels an engine will choose; x86 and ARM have different ones.
_KEYS = (
    "vendor_id",
    "model name",
    "flags",
    "CPU implementer",
    "CPU architecture",
    "CPU variant",
    "CPU part",
    "Features",
)


def processor_identity() -> str:
    """A text that is the same on processors with the same instructions, and stays the same over restarts."""
    lines = {line for line in _cpuinfo().splitlines() if line.split(":")[0].strip() in _KEYS}
    if lines:
        return "\n".join(sorted(lines))
    return f"{platform.machine()} {platform.processor()}"


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ""
