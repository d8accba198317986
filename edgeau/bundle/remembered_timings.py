"""Timings of this machine, so that it is measured once and not at every start."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from edgeau._system.atomic_file import write_whole
from edgeau._system.cache import cache_directory
from edgeau._system.processor import processor_identity
from edgeau._system.records import from_dict
from edgeau.bundle.load import Bundle
from edgeau.bundle.timing import Timing
from edgeau.errors import OutputError, RecordError
from edgeau.runtimes.table import engine_versions
from edgeau.runtimes.thread_count import usable_processors

__all__ = ["Asked", "recall_timings", "remember_timings"]

_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """What the caller left open and what not; arguments of :func:`edgeau.bundle.select.open_engine`."""

    engine: str | None = None
    threads: int | None = None
    provider: str | None = None


def recall_timings(bundle: Bundle, asked: Asked) -> list[Timing]:
    """What was measured for this bundle, processor and engine versions; empty when nothing was."""
    try:
        text = _note(bundle, asked).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError):
        return []
    try:
        rows = json.loads(text)["rows"]
        return [from_dict(Timing, row, "timings") for row in rows]
    except (ValueError, KeyError, TypeError, RecordError) as error:
        _log.info("what was measured earlier cannot be read and is measured again: %s", error)
        return []


def remember_timings(bundle: Bundle, asked: Asked, rows: Sequence[Timing]) -> None:
    """Keep what was measured. A cache that cannot be written costs a measurement at every start and nothing else."""
    note = {**_facts(bundle, asked), "rows": [asdict(row) for row in rows]}
    try:
        write_whole(_note(bundle, asked), json.dumps(note, indent=2).encode())
    except (OutputError, RuntimeError) as error:
        _log.info("cannot remember how fast the engines are: %s", error)


def _note(bundle: Bundle, asked: Asked) -> Path:
    facts = json.dumps(_facts(bundle, asked), sort_keys=True)
    return cache_directory() / "timings" / f"{hashlib.sha256(facts.encode()).hexdigest()}.json"


def _facts(bundle: Bundle, asked: Asked) -> dict[str, object]:
    """Everything that could change which artifact is the fastest."""
    return {
        "bundle": bundle.digest,
        "engines": engine_versions(),
        "processor": processor_identity(),
        "processors": usable_processors(),
        "asked": asked._asdict(),
    }
