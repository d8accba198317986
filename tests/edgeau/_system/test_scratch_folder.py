from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeau._system import scratch_folder as module
from edgeau._system.scratch_folder import scratch_folder

_HOLD = """
import time
from edgeau._system.scratch_folder import scratch_folder
with scratch_folder("held") as folder:
    open(folder + "/file", "w").close()
    print(folder, flush=True)
    time.sleep(60)
"""


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", _HOLD], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed, left = holder()
    living, held = holder()
    killed.send_signal(signal.SIGKILL)
    killed.wait(10)
    try:
        with scratch_folder("a"):
            assert left.exists()  # too young to be told from one that is just made
        monkeypatch.setattr(module, "_SETTLED_S", -1.0)
        with scratch_folder("a") as own:
            assert not left.exists()
            assert (held / "file").exists()
            assert Path(own).is_dir()
        assert not Path(own).exists()
    finally:
        living.kill()
        living.wait(10)
        for process in (killed, living):
            assert process.stdout is not None
            process.stdout.close()
