from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def benchmark(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = root / "benchmarks" / "pipeline_overhead.py"
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_overhead_is_measured_beside_the_models(root: Path, bundle_path: Path) -> None:
    done = benchmark(root, str(bundle_path), "--frames", "20", "--budget-ms", "1000", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["models_cpu_ms"]) == {"MediaPipe", "AU network"}
    assert 0 < result["own_cpu_ms"] < 10  # that it is below 1.0 is for a quiet machine to show
    assert result["own_cpu_ms"] == pytest.approx(sum(result["own_parts_cpu_ms"].values()), rel=0.5)


def test_over_budget_is_exit_code_3(root: Path, bundle_path: Path) -> None:
    done = benchmark(root, str(bundle_path), "--frames", "3", "--budget-ms", "0.0001")
    assert done.returncode == 3, done.stderr
    assert "budget 0.0001" in done.stdout
