"""A skip that installing something would have spared fails where everything can be installed, and is explained elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import skipped

_TESTS = """
import pytest
def test_it_runs(): pass
def test_it_is_skipped(): pytest.skip({reason!r})
"""


@pytest.mark.parametrize(
    ("reason", "strict", "code"),
    [
        ("strace is not installed", True, 1),
        ("strace is not installed", False, 0),
        ("no GPU with TensorRT: none", True, 0),
    ],
)
def test_a_skip_counts(root: Path, tmp_path: Path, reason: str, strict: bool, code: int) -> None:
    (tmp_path / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (tmp_path / "test_sample.py").write_text(_TESTS.format(reason=reason))
    for folder in ("weights", "edgeau"):
        if not (tmp_path.parent / folder).exists():
            (tmp_path.parent / folder).symlink_to(root / folder)
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    environment.pop(skipped.STRICT, None)
    if strict:
        environment[skipped.STRICT] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert reason in done.stdout
    assert ("sudo apt install strace" in done.stdout) is reason.startswith("strace")


def test_reasons_are_told_apart() -> None:
    reasons = ["root may write anywhere", "no Chromium on this machine", "could not import 'ray': No module"]
    assert skipped.forbidden(reasons) == ["could not import 'ray': No module", "no Chromium on this machine"]
    assert "to run them: sudo apt install chromium chromium-driver" in skipped.summary(reasons)
    assert skipped.summary([]) == []
