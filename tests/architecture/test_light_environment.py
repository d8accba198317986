"""Every program where only one engine is installed: it runs, or says in one line what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SAID = {
    ("edgeau-analyze", "clip", "--out", "OUT"): "edgeau-landmarks --fetch",
    ("edgeau-evaluate", "OUT", "--data", "OUT"): "pip install 'edgeau[train]'",
    ("edgeau-export", "--target", "cpu", "--out", "OUT"): "pip install 'edgeau[export]'",
    ("edgeau-report", "mrpnet"): "pip install 'edgeau[export]'",
    ("edgeau-synth", "OUT", "--out", "OUT", "--count", "1"): "pip install 'edgeau[train]'",
    ("edgeau-train", "mrpnet-small", "--data", "OUT", "--out", "OUT"): "pip install 'edgeau[train]'",
    ("edgeau-live", "--source", "clip"): "edgeau-landmarks --fetch",
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_program_runs_or_says_what_it_needs(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    programs = tmp_path / "env" / "bin"
    pip = [str(programs / "pip"), "install", "--quiet", f"{wheel}[onnxruntime]"]
    subprocess.run(pip, check=True, capture_output=True)
    for (name, *arguments), line in _SAID.items():
        given = [str(tmp_path / "out") if word == "OUT" else word for word in arguments]
        done = subprocess.run(
            [str(programs / name), *given], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, name
        assert line in done.stderr.splitlines()[-1], name
        assert "Traceback" not in done.stderr, name
    bench = [str(programs / "edgeau-bench"), "--seconds", "0.2", "--threads", "1", "--no-start"]
    done = subprocess.run(bench, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "model.fp32.onnx" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
