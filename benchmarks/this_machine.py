"""The machine as a table names it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["machine_name"]


def machine_name() -> str:
    """The processor's name and how many of its cores there are."""
    name, cpuinfo = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []:
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
            break
    return f"{name}, {os.cpu_count()} cores"
