"""An engine of another package: a distribution with an entry point, seen by a Python that starts with it on its path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ENGINE = """
from edgeau.runtimes.onnxruntime import OnnxRuntimeSession
from edgeau.runtimes.session import EngineInfo
from edgeau.runtimes.table import Runtime

class ToySession(OnnxRuntimeSession):
    def describe(self):
        return EngineInfo("toy", "1.2", "abacus", 1, self._batch)

ROW = Runtime(
    name="toy", title="Toy", session="toy_engine:ToySession",
    converter="edgeau_export.converters.onnxruntime:convert", suffix=".onnx", precisions=("fp32",),
    distributions=("toy-engine",), modules=("toy_engine",), install="toy-engine",
)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder as pip leaves one: a module, and what its distribution says of itself."""
    folder = tmp_path / "site"
    about = folder / "toy_engine-1.2.dist-info"
    about.mkdir(parents=True)
    (folder / "toy_engine.py").write_text(_ENGINE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text("[edgeau.runtimes]\ntoy = toy_engine:ROW\n")
    return folder


@pytest.fixture
def toy_bundle(bundle_path: Path) -> Path:
    """A bundle whose only artifact is for the toy."""
    file = bundle_path / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["artifacts"] = manifest["artifacts"][:1]
    manifest["artifacts"][0]["runtime"] = "toy"
    file.write_text(json.dumps(manifest))
    return bundle_path


def _python(program: str, folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_it_runs_an_artifact_and_is_named_wherever_engines_are(
    toy: Path, toy_bundle: Path, tmp_path: Path
) -> None:
    program = f"""
import json
import numpy as np
from edgeau import AUDetector, Pipeline, load_bundle
from edgeau.bundle.select import Request, _facts
from edgeau_apps.bench.provenance import Began, provenance
from edgeau_apps.doctor.checks.engines import check
from edgeau_apps.doctor.probe import this_machine
bundle = {str(toy_bundle)!r}
with AUDetector.load(bundle) as detector:
    runtime = detector.artifact.runtime
    count = len(detector.detect([np.full((224, 224, 3), 128, np.uint8)] * 2).probabilities)
with Pipeline.load(bundle, max_faces=1) as pipeline:
    pipeline.process(np.zeros((240, 320, 3), np.uint8))
loaded = load_bundle(bundle)
print(json.dumps(dict(
    runtime=runtime, count=count,
    timing=_facts(loaded, Request(None, None, None))["engines"],
    bench=provenance(loaded.digest, "toy", [], Began()).engines,
    doctor=[finding.says for finding in check(this_machine(imports=False))],
)))
"""
    done = _python(program, toy, tmp_path / "cache")
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["runtime"], told["count"]) == ("toy", 2)
    assert told["timing"]["toy-engine"] == told["bench"]["toy-engine"] == "1.2"
    assert "toy-engine 1.2" in told["doctor"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"toy_engine:ROW of the group edgeau.runtimes cannot be loaded .*No module named"),
        ("ROW = 1 / 0", "cannot be loaded .*division by zero"),
        ("ROW = 'toy'", "not an edgeau.runtimes.table.Runtime but a str"),
        (
            _ENGINE.replace('name="toy"', 'name="litert"'),
            "adds the runtime 'litert', which exists already",
        ),
    ],
    ids=["missing", "raises", "no row", "taken name"],
)
def test_a_broken_entry_point_is_one_clear_error(
    toy: Path, toy_bundle: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    if content is None:
        (toy / "toy_engine.py").unlink()
    else:
        (toy / "toy_engine.py").write_text(content)
    program = (
        "import sys; from edgeau_apps.bench.command import main\n"
        f"sys.exit(main([{str(toy_bundle)!r}, '--seconds', '0.1', '--threads', '1']))"
    )
    done = _python(program, toy, tmp_path / "cache")
    lines = [line for line in done.stderr.splitlines() if "edgeau-bench:" in line]
    assert done.returncode == 2, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert len(lines) == 1
    import re

    assert re.search(message, lines[0])
