"""Known native lines are dropped, and whatever else is written to stderr meanwhile arrives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from edgeau._system.native_stderr import has_dropped, native_lines_dropped

NOISE = re.compile(rb"noise")
OTHER = re.compile(rb"other")


PREFIX = """
import os, re, sys, threading
from edgeau._system.native_stderr import native_lines_dropped
NOISE = re.compile(rb"noise")
"""


def run(code: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREFIX + code], text=True, timeout=30, check=False, **options
    )


def test_known_lines_are_dropped_and_others_arrive(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before noise\n")
    with native_lines_dropped(NOISE):
        os.write(2, b"noise 1\nsomething else\nnoise 2\nno end of line")
    os.write(2, b"\nnoise after\n")
    assert capfd.readouterr().err == "before noise\nsomething else\nno end of line\nnoise after\n"


def test_whether_a_line_came_is_known(capfd: pytest.CaptureFixture[str]) -> None:
    pattern = re.compile(rb"once")
    with native_lines_dropped(pattern):
        pass
    assert not has_dropped(pattern)
    with native_lines_dropped(pattern):
        os.write(2, b"once\n")
    assert has_dropped(pattern)
    assert capfd.readouterr().err == ""


def test_an_error_inside_brings_stderr_back(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before\n")
    with pytest.raises(KeyboardInterrupt), native_lines_dropped(NOISE):
        raise KeyboardInterrupt
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_no_line_of_another_thread_is_lost() -> None:
    """Eight threads drop noise, over and over, while four others log, print and write natively."""
    done = run(
        """
import logging
logging.basicConfig(format="%(message)s")
ended = threading.Event()
def drop():
    while not ended.is_set():
        with native_lines_dropped(NOISE):
            os.write(2, b"noise\\n")
def speak(thread):
    for number in range(300):
        logging.error("log %d %d", thread, number)
        os.write(2, b"native %d %d\\n" % (thread, number))
        sys.stderr.write(f"print {thread} {number}\\n")
droppers = [threading.Thread(target=drop) for _ in range(8)]
speakers = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
for thread in droppers + speakers: thread.start()
for thread in speakers: thread.join()
ended.set()
for thread in droppers: thread.join()
""",
        stderr=subprocess.PIPE,
    )
    assert "noise" not in done.stderr
    wanted = [f"{how} {a} {b}" for how in ("log", "native", "print") for a in range(4) for b in range(300)]
    assert sorted(done.stderr.splitlines()) == sorted(wanted)


def test_blocks_of_two_kinds_overlap(capfd: pytest.CaptureFixture[str]) -> None:
    barrier = Barrier(2)

    def one(pattern: re.Pattern[bytes]) -> None:
        for _ in range(50):
            with native_lines_dropped(pattern):
                barrier.wait()
                os.write(2, b"noise\nother\nkept\n")
                barrier.wait()
            barrier.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, (NOISE, OTHER)))
    os.write(2, b"after\n")
    assert capfd.readouterr().err.split() == ["kept"] * 100 + ["after"]


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_leaked() -> None:
    with native_lines_dropped(NOISE):
        pass
    before = open_descriptors()
    for _ in range(20):
        with native_lines_dropped(NOISE):
            pass
    assert open_descriptors() == before


def test_a_process_without_stderr_is_fine() -> None:
    done = run("os.close(2)\nwith native_lines_dropped(NOISE): print('inside')", stdout=subprocess.PIPE)
    assert (done.stdout, done.returncode) == ("inside\n", 0)


def test_a_child_that_was_forked_inside_has_its_stderr_and_hangs_nowhere() -> None:
    """Forked while one thread is inside a block and another one enters blocks all the time."""
    done = run(
        """
inside, ended = threading.Event(), threading.Event()
def hold():
    with native_lines_dropped(NOISE):
        inside.set()
        ended.wait()
def enter():
    while not ended.is_set():
        with native_lines_dropped(NOISE): pass
threads = [threading.Thread(target=body) for body in (hold, enter)]
for thread in threads: thread.start()
inside.wait()
for number in range(20):
    child = os.fork()
    if not child:
        with native_lines_dropped(NOISE):
            os.write(2, b"noise\\nchild %d\\n" % number)
        os._exit(0)
    os.waitpid(child, 0)
ended.set()
for thread in threads: thread.join()
os.write(2, b"parent\\n")
""",
        stderr=subprocess.PIPE,
    )
    assert done.returncode == 0
    assert done.stderr.split("\n")[:-1] == [f"child {number}" for number in range(20)] + ["parent"]


def test_stderr_whose_reader_went_away_does_no_harm() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(
        "with native_lines_dropped(NOISE): os.write(2, b'lost')\nprint('done')",
        stdout=subprocess.PIPE,
        stderr=writer,
    )
    os.close(writer)
    assert (done.stdout, done.returncode) == ("done\n", 0)
