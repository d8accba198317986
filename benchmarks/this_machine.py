"""The machine, the date and the load of a measurement, as every table says them above its rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from edgeau._system.processor import integer_instructions, processor_name

__all__ = ["about", "load", "machine_name", "measured_here", "today"]


def machine_name() -> str:
    """The processor's name, its instructions for integers, and how many of its cores there are."""
    instructions = integer_instructions()
    named = f"{processor_name()} ({instructions})" if instructions else processor_name()
    return f"{named}, {os.cpu_count()} cores"


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
