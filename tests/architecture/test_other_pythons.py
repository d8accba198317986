"""edgeau-doctor on another Python than the one that runs the tests; the matrix (tests/matrix) installs the wheel on all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.matrix.pythons import interpreter


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
