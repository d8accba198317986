"""A month of operation, accelerated: 10^6 frames with faults, and 10^5 with real engines (benchmarks/soak.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.reliability.outcome import Outcome

__all__ = ["month"]

ROOT = Path(__file__).resolve().parents[2]


def month(*, full: bool) -> list[Outcome]:
    """Frames through the live pipeline, both kinds at once; every frame accounted for."""
    with ThreadPoolExecutor(2) as both:
        return list(
            both.map(
                lambda given: _soak(*given),
                (
                    ("frames with faults, plain functions", 1_000_000 if full else 4200, full),
                    (
                        "frames with faults, real engines (light)",
                        100_000 if full else 500,
                        full,
                        "--real",
                        "light",
                    ),
                ),
            )
        )


def _soak(name: str, frames: int, full: bool, *options: str) -> Outcome:
    growth = "5" if full else "5000"  # KiB a thousand frames; a pipeline that has just begun still grows
    program = str(ROOT / "benchmarks" / "soak.py")
    command = [sys.executable, program, "--json", "--frames", str(frames), "--max-growth", growth, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=8 * 3600)
    outcome = Outcome(name, frames)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        outcome.faults[0] = f"exit code {done.returncode}: {done.stderr[-300:]}"
        return outcome
    wanted = ("seconds", "captured", "accounted", "unaccounted", "lost_before_capture", "source_deaths", "memory_mib",
              "memory_slope_kib_per_1000_frames", "memory_slope_interval_kib")  # fmt: skip
    for key in wanted:
        outcome.said[key] = result[key] if isinstance(result[key], int | float) else json.dumps(result[key])
    if done.returncode:
        outcome.faults[0] = done.stderr.strip()[-300:] or f"exit code {done.returncode}"
    if result["unaccounted"]:
        outcome.faults[1] = f"{result['unaccounted']} frames are unaccounted for"
    return outcome
