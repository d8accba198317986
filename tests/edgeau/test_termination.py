from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeau.termination import TERMINATED, sigterm_unwinds

pytestmark = (
    pytest.mark.slow
)  # signals end the very process that runs them; make test-slow has one of its own

COMMAND = """
import sys, time
from pathlib import Path
from edgeau.command import run

def body(argv):
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        Path("finished").touch()

sys.exit(run("it", body))
"""


def terminate(finished: list[bool]) -> None:
    with sigterm_unwinds():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(5)
        finally:
            finished.append(True)


def test_sigterm_unwinds_the_block_and_nothing_after_it() -> None:
    finished: list[bool] = []
    with pytest.raises(SystemExit) as caught:
        terminate(finished)
    assert caught.value.code == TERMINATED == 143
    assert finished == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_somebody_elses_handler_stays() -> None:
    seen = []
    signal.signal(signal.SIGTERM, lambda *_: seen.append(True))
    try:
        with sigterm_unwinds():
            os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [True]
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_in_another_thread_it_does_nothing() -> None:
    handlers = []

    def look() -> None:
        with sigterm_unwinds():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [signal.SIG_DFL]


def test_a_terminated_command_finishes_its_files(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", COMMAND]
    program = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "running\n"
    program.terminate()
    program.communicate(timeout=30)
    assert program.returncode == TERMINATED
    assert (tmp_path / "finished").exists()
