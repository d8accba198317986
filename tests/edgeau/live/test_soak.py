"""The soak benchmark at a small size: faults of every kind, every frame accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def soak(root: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(root / "benchmarks" / "soak.py"), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_faults_of_every_kind_lose_no_frame_from_the_account(root: Path) -> None:
    # Memory settles over more frames than these; the long run shows it.
    result = soak(root, "--frames", "4200", "--max-growth", "2000")
    assert result["unaccounted"] == 0
    assert result["captured"] >= 4200 - 20
    assert result["source_deaths"] >= 7
    assert result["gaps"] >= 7
    assert result["accounted"]["failed"] > 0
    assert result["accounted"]["processed"] > 2000


@pytest.mark.slow
def test_memory_stays_where_it_is(root: Path) -> None:
    result = soak(root, "--frames", "30000")
    assert result["memory_slope_kib_per_1000_frames"] < 20


@pytest.mark.slow
def test_real_parts_bear_the_faults_too(root: Path) -> None:
    result = soak(root, "--frames", "3000", "--real", "--max-growth", "2000")
    assert result["unaccounted"] == 0
    assert result["accounted"]["processed"] > 1000
