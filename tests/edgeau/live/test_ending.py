"""SIGTERM and Ctrl-C end a live program within a second, and its files are complete."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from edgeau import Pipeline, open_source
from edgeau.sinks import open_sink
from edgeau._system.command import sigterm_unwinds

with sigterm_unwinds(), Pipeline.load(sys.argv[1], max_faces=1) as pipeline:
    with open_source("clip", real_time=True, repeat=True) as source:
        with open_sink("out.csv", pipeline) as table, open_sink("out.jsonl", pipeline) as lines:
            for result in pipeline.stream(source):
                table.write(result)
                lines.write(result)
                if result.index > 30:
                    print("running", flush=True)
"""


def start(bundle: Path, folder: Path) -> subprocess.Popen:
    arguments = [sys.executable, "-c", PROGRAM, str(bundle)]
    program = subprocess.Popen(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "running\n", program.stderr.read()
    return program


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_it_within_a_second_with_whole_files(
    bundle_path: Path, tmp_path: Path, number: signal.Signals, code: int, slack: float
) -> None:
    program = start(bundle_path, tmp_path)
    begun_s = time.monotonic()
    program.send_signal(number)
    _, stderr = program.communicate(timeout=20)
    took_s = time.monotonic() - begun_s
    assert program.returncode == code, stderr
    # Leaving the pipeline takes a tenth of it; the interpreter's own end, with all that MediaPipe imports, the rest.
    assert took_s < 1 * slack
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert len(lines) > 10
    assert all(json.loads(line)["faces"] is not None for line in lines)
    header, *rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) >= len(lines) - 2
    assert {row.count(",") for row in rows} == {header.count(",")}
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.csv", "out.jsonl"]


def test_a_pipeline_left_by_an_error_ends_its_threads(bundle_path: Path, tmp_path: Path) -> None:
    program = """
import sys, threading
from edgeau import Pipeline, open_source
try:
    with Pipeline.load(sys.argv[1], max_faces=1) as pipeline, open_source("clip", real_time=True) as source:
        for result in pipeline.stream(source):
            1 / 0
except ZeroDivisionError:
    print([thread.name for thread in threading.enumerate() if thread.name.startswith("edgeau-")])
"""
    arguments = [sys.executable, "-c", program, str(bundle_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
