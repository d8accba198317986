"""Reading a film starts no thread for a frame: each would have to wait for a processor before the frame comes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

READ = """
import sys
from itertools import islice
from edgeau import open_source
with open_source("clip") as source:
    assert len(list(islice(source, int(sys.argv[1])))) == int(sys.argv[1])
"""


def threads_started(frames: int, log: Path) -> int:
    command = ["strace", "-f", "-qq", "-e", "trace=clone,clone3", "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-c", READ, str(frames)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return sum("clone" in line and "resumed" not in line for line in log.read_text().splitlines())


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")
def test_more_frames_start_no_more_threads(tmp_path: Path) -> None:
    assert threads_started(40, tmp_path / "log") == threads_started(10, tmp_path / "log")
