"""SIGTERM, in processes of their own: pytest's workers have handlers and threads of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edgeau._system.command import TERMINATED

COMMAND = """
import sys, time
from pathlib import Path
from edgeau._system.command import run

def body(argv):
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        Path("finished").touch()

sys.exit(run("it", body))
"""

UNWINDS = """
import os, signal, time
from edgeau._system.command import sigterm_unwinds

finished = []
try:
    with sigterm_unwinds():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            finished.append("slept")
        finally:
            finished.append("unwound")
except SystemExit as end:
    assert end.code == 143, end.code
    assert finished == ["unwound"], finished
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    print("as promised")
"""

SOMEBODY_ELSES = """
import os, signal
from edgeau._system.command import sigterm_unwinds

seen = []
theirs = lambda *_: seen.append(True)
signal.signal(signal.SIGTERM, theirs)
with sigterm_unwinds():
    assert signal.getsignal(signal.SIGTERM) is theirs
    os.kill(os.getpid(), signal.SIGTERM)
assert seen == [True], seen
assert signal.getsignal(signal.SIGTERM) is theirs
print("as promised")
"""

ANOTHER_THREAD = """
import signal, threading
from edgeau._system.command import sigterm_unwinds

handlers = []

def look():
    with sigterm_unwinds():
        handlers.append(signal.getsignal(signal.SIGTERM))

thread = threading.Thread(target=look)
thread.start()
thread.join()
assert handlers == [signal.SIG_DFL], handlers
print("as promised")
"""


def keeps_its_promise(program: str) -> bool:
    ended = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120
    )
    assert ended.stderr == ""
    return (ended.returncode, ended.stdout) == (0, "as promised\n")


def test_the_exit_code_is_that_of_shells() -> None:
    assert TERMINATED == 143


def test_sigterm_unwinds_the_block_and_nothing_after_it() -> None:
    assert keeps_its_promise(UNWINDS)


def test_somebody_elses_handler_stays() -> None:
    assert keeps_its_promise(SOMEBODY_ELSES)


def test_in_another_thread_it_does_nothing() -> None:
    assert keeps_its_promise(ANOTHER_THREAD)


def test_a_terminated_command_finishes_its_files(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", COMMAND]
    program = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "running\n"
    program.terminate()
    program.communicate(timeout=30)
    assert program.returncode == TERMINATED
    assert (tmp_path / "finished").exists()
