"""The machine, the date and the load of a measurement, as every table says them above its rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edgeau._system.processor import processor_name

__all__ = ["about", "integer_instructions", "load", "machine_name", "measured_here", "today"]


# By their names in /proc/cpuinfo, the widest first.
_INTEGER_INSTRUCTIONS = {
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx2": "AVX2",
    "i8mm": "NEON with i8mm",
    "asimddp": "NEON with dot products",
    "asimd": "NEON",
    "neon": "NEON",
}


def machine_name() -> str:
    """The processor's name, its instructions for integers, and how many of its cores there are."""
    instructions = integer_instructions(Path("/proc/cpuinfo"))
    named = f"{processor_name()} ({instructions})" if instructions else processor_name()
    return f"{named}, {os.cpu_count()} cores"


def integer_instructions(cpuinfo: Path) -> str:
    """The widest instructions for products of 8-bit integers, such as ``"AVX-512 VNNI"``; empty where unknown.

    Two processors of one name may differ here ("AMD EPYC" in a virtual machine), and INT8 takes twice as long without sums of products.
    """
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return ""
    flags = {
        flag
        for key, _, value in (line.partition(":") for line in lines)
        if key.strip() in ("flags", "Features")
        for flag in value.split()
    }
    return next((name for flag, name in _INTEGER_INSTRUCTIONS.items() if flag in flags), "")


def today() -> str:
    """The date in UTC, such as 2026-11-29."""
    return datetime.now(timezone.utc).date().isoformat()


def load() -> float:
    """Processes that run or wait to run, mean of the last minute; to be asked before a benchmark becomes one of them."""
    return round(os.getloadavg()[0], 1)


def measured_here() -> dict[str, Any]:
    """The first entries of a benchmark's document: machine, date, and the load before it."""
    return {"machine": machine_name(), "date": today(), "load": load()}


def about(document: Mapping[str, Any], name: str) -> str:
    """The words above a table, without a full stop.

    Args:
        document: begins with :func:`measured_here`.
        name: of the benchmark's file, without its suffix.
    """
    return f"{document['machine']}, {document['date']}, load {document['load']} before; `python benchmarks/{name}.py`"
