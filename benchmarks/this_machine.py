"""The machine as a table names it."""

from __future__ import annotations

import os

from edgeau._system.processor import processor_name

__all__ = ["machine_name"]


def machine_name() -> str:
    """The processor's name and how many of its cores there are."""
    return f"{processor_name()}, {os.cpu_count()} cores"
