"""The installed wheel on Pythons other than the one that runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_OPEN = """
import numpy as np
from edgeau import AUDetector, load_bundle
from edgeau.bundle import default_bundle_path
bundle = load_bundle(default_bundle_path())
with AUDetector.load() as detector:
    found = detector.detect([np.full((224, 224, 3), 128, np.uint8)])
print(bundle.manifest.network.name, found.probabilities.shape[0])
"""


def interpreter(version: str) -> str | None:
    """The path of a Python of this machine by its version, such as 3.10, or None where there is none."""
    found = shutil.which(f"python{version}")
    if found and "shims" not in Path(found).parts:
        probe = subprocess.run([found, "-c", "import venv"], capture_output=True, check=False)
        if probe.returncode == 0:
            return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    return str(candidates[-1]) if candidates else None


def test_the_doctor_starts_on_a_bare_python_3_10(root: Path) -> None:
    python = interpreter("3.10")
    if python is None:
        pytest.skip("there is no Python 3.10 on this machine")
    paths = os.pathsep.join(str(root / name) for name in (".", "apps", "export", "calibration", "training"))
    code = "from edgeau_apps.doctor.command import main; raise SystemExit(main(['--json']))"
    done = subprocess.run(
        [python, "-I", "-c", f"import sys; sys.path[:0] = {paths.split(os.pathsep)!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert '"numpy"' in done.stdout


@pytest.mark.timeout(300)
def test_the_default_bundle_opens_on_python_3_10(wheel: Path, tmp_path: Path) -> None:
    python = interpreter("3.10")
    if python is None:
        pytest.skip("there is no Python 3.10 on this machine")
    subprocess.run([python, "-m", "venv", str(tmp_path / "env")], check=True)
    programs = tmp_path / "env" / "bin"
    pip = [str(programs / "pip"), "install", "--quiet", f"{wheel}[onnxruntime]"]
    subprocess.run(pip, check=True, capture_output=True)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [str(programs / "python"), "-c", _OPEN],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "mrpnet"
