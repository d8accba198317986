"""What the board says of throttling."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["throttle_count", "throttling", "vcgencmd_flags"]

_CPUS = Path("/sys/devices/system/cpu")
# Bits of "vcgencmd get_throttled", of the Raspberry Pi documentation.
_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


def throttling(before: int | None = None) -> str:
    """What the board says now, in words; "" where nothing is throttled or the system does not tell.

    Args:
        before: of :func:`throttle_count` when the benchmark began.
    """
    if shutil.which("vcgencmd"):
        done = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, check=False)
        return vcgencmd_flags(done.stdout)
    now = throttle_count()
    if before is not None and now is not None and now > before:
        return f"throttled {now - before} times"
    return ""


def throttle_count() -> int | None:
    """How often x86 processors were throttled since the system started; None where it is not said."""
    files = list(_CPUS.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"))
    return sum(int(file.read_text()) for file in files) if files else None


def vcgencmd_flags(text: str) -> str:
    """``"throttled=0x50005"`` -> ``"under-voltage, throttled"``: what is so now, not what once was."""
    _, _, value = text.strip().partition("=")
    try:
        bits = int(value, 16)
    except ValueError:
        return ""
    return ", ".join(name for bit, name in _BITS.items() if bits >> bit & 1)
