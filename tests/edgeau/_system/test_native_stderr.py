from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from edgeau._system.native_stderr import native_stderr_silenced


def test_native_lines_are_gone_inside_and_back_after(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before\n")
    with native_stderr_silenced():
        os.write(2, b"inside\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_an_error_inside_brings_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), native_stderr_silenced():
        raise KeyboardInterrupt
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_threads_that_overlap_bring_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    barrier = Barrier(4)

    def overlap(_: int) -> None:
        for _ in range(50):
            with native_stderr_silenced():
                barrier.wait()
            barrier.wait()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(overlap, range(4)))
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_leaked() -> None:
    with native_stderr_silenced():
        pass
    before = open_descriptors()
    for _ in range(20):
        with native_stderr_silenced():
            pass
    assert open_descriptors() == before


def test_a_process_without_stderr_is_fine() -> None:
    program = (
        "import os\n"
        "from edgeau._system.native_stderr import native_stderr_silenced\n"
        "os.close(2)\n"
        "with native_stderr_silenced(): print('inside')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "inside\n"
