"""Frames are never written and no socket is opened unless asked for: shown by watching what the process asks the kernel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from edgeau import Pipeline, open_source
with Pipeline.load(sys.argv[1], max_faces=1) as pipeline:
    os.write(2, b"---- begin ----\\n")  # before the first frame, and behind mediapipe's import, which runs a compiler
    with open_source("clip", real_time=True, fps=60) as source:
        for result in pipeline.stream(source):
            assert result.captured_s
            if result.index > 60:
                break
    with open_source("clip") as source:
        for result in pipeline.stream(source):
            if result.index > 20:
                break
os.write(2, b"---- end ----\\n")
"""
CALLS = "trace=openat,open,creat,socket,connect,bind,sendto,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,write,pwrite64,memfd_create"
# What may be written to: nothing, one's own standard streams, and what the kernel keeps for a process.
HARMLESS = re.compile(r'"(/dev/null|/proc/self/[a-z_/]+|/proc/\d+/[a-z_/]+|/sys/[^"]*|/dev/shm/[^"]*)"')


def watched(bundle: Path, folder: Path, program: str = PROGRAM) -> tuple[list[str], list[str]]:
    """All the kernel calls, one a line, and those between begin and end."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = folder / "calls"
    work = folder / "empty"
    work.mkdir()
    command = ["strace", "-f", "-e", CALLS, "-o", str(log), sys.executable, "-c", program, str(bundle)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False, timeout=300)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine lets no process be watched")
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(work.iterdir()) == []
    text = log.read_text(errors="replace")
    begun, ended = text.index("---- begin"), text.index("---- end")
    return text.splitlines(), text[begun:ended].splitlines()[1:]


def opened_for_writing(calls: list[str]) -> list[str]:
    return [
        call
        for call in calls
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT|\b(creat|rename\w*|mkdir\w*|link\w*)\(", call)
        and not HARMLESS.search(call)
        and "= -1" not in call
    ]


def sockets(calls: list[str]) -> list[str]:
    return [call for call in calls if re.search(r"\b(socket|connect|bind|sendto)\(", call)]


@pytest.fixture
def warm_cache(bundle_path: Path) -> Path:
    """A bundle that was loaded before: the first load on a machine may write down which engine was right and fast."""
    from edgeau import Pipeline

    Pipeline.load(bundle_path, max_faces=1).close()
    return bundle_path


def test_nothing_is_written_and_no_socket_opened(warm_cache: Path, tmp_path: Path) -> None:
    all_calls, with_frames = watched(warm_cache, tmp_path)
    assert any("clip.mp4" in call for call in with_frames), "the watching works"
    assert opened_for_writing(with_frames) == []
    assert sockets(all_calls) == []


def test_the_watching_would_see_a_file_and_a_socket(bundle_path: Path, tmp_path: Path) -> None:
    program = (
        'import os, socket; os.write(2, b"---- begin ----\\n")\n'
        f'open("{tmp_path}/frame.png", "wb").close(); socket.socket().close(); os.write(2, b"---- end ----\\n")'
    )
    _, calls = watched(bundle_path, tmp_path, program)
    assert len(opened_for_writing(calls)) == 1
    assert len(sockets(calls)) == 1
