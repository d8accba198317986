"""A month of operation, accelerated: 10^6 frames with faults, and 10^5 with real engines (benchmarks/soak.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.reliability.outcome import Outcome

__all__ = ["month"]

ROOT = Path(__file__).resolve().parents[2]


def month(*, full: bool) -> list[Outcome]:
    """Frames through the live pipeline; every one accounted for."""
    return [
        _soak("frames with faults, plain functions", "1000000" if full else "4200"),
        _soak("frames with faults, real engines", "100000" if full else "500", "--real"),
    ]


def _soak(name: str, frames: str, *options: str) -> Outcome:
    growth = "5" if len(frames) > 5 else "5000"
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "soak.py"),
        "--json",
        "--frames",
        frames,
        "--max-growth",
        growth,
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=4 * 3600)
    outcome = Outcome(name, int(frames))
    try:
        result = json.loads(done.stdout)
    except ValueError:
        outcome.faults[0] = f"exit code {done.returncode}: {done.stderr[-300:]}"
        return outcome
    wanted = (
        "captured",
        "unaccounted",
        "source_deaths",
        "memory_slope_kib_per_1000_frames",
        "memory_slope_interval_kib",
    )
    outcome.said |= {
        key: str(result[key]) if isinstance(result[key], list) else result[key]
        for key in wanted
        if key in result
    }
    if done.returncode:
        outcome.faults[0] = done.stderr.strip()[-300:] or f"exit code {done.returncode}"
    if result["unaccounted"]:
        outcome.faults[1] = f"{result['unaccounted']} frames are unaccounted for"
    return outcome
