"""A video may be closed in one thread while another decodes it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Closed at other moments each time; a crash ends the process.
_CODE = """
import threading, time
from edgeau import open_source
for trial in range(25):
    source = open_source("clip")
    taken = []
    def read():
        for frame in source:
            taken.append(frame.index)
    reader = threading.Thread(target=read)
    reader.start()
    while not taken:
        time.sleep(0.001)
    time.sleep(trial * 0.0007)
    source.close()
    reader.join()
    assert len(taken) < 175
print("closed")
"""


def test_a_video_is_closed_while_it_is_decoded() -> None:
    pytest.importorskip("av")
    done = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "closed"
